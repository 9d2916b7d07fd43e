"""Writes ../fixtures/numbers.json with the verdicts of PyPI phonenumbers, a port of Google's libphonenumber.

    python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python generate_numbers.py

The inputs are what people type: the library's own example numbers in several notations, damaged copies of them,
and a list of odd ones by hand. The same library version writes the same bytes.
"""

import json
from pathlib import Path

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

TARGET = Path(__file__).resolve().parent.parent / "fixtures" / "numbers.json"

# Large markets, and those whose dialling plans are peculiar: shared codes, leading zeros, mobile tokens.
REGIONS = "US CA GB DE FR ES IT CH AT NL BE SE NO DK FI PL PT IE AU NZ MX BR AR CL CO IN JP KR SG IL ZA NG KE RU KZ BY HU LT TR UA".split()

INTERNATIONAL_PREFIX = {"US": "011", "CA": "011", "AU": "0011", "JP": "010", "SG": "000"}

BY_HAND = [
    ("(415) 555-2671", "US"), ("415.555.2671", "US"), ("415 555 2671", "CA"), ("1 415 555 2671", "US"),
    ("1-415-555-2671", "US"), ("+1 (415) 555-2671", None), ("+1 (415) 555-2671", "DE"), ("14155552671", "US"),
    ("14155552671", None), ("4155552671", None), ("415-555-2671", "GB"), ("+14155552671", "US"),
    ("+1415-5552671", "US"), ("+1-4155552671", "US"), ("tel:+1-415-555-2671", None), ("  +14155552671  ", None),
    ("\u202a+1 415 555 2671\u202c", "US"), ("\u00a0415\u00a0555\u00a02671", "US"), ("415\u20115552671", "US"),
    ("＋１４１５５５５２６７１", "US"), ("（４１５）５５５－２６７１", "US"), ("+١٤١٥٥٥٥٢٦٧١", None),
    ("1 333-333-333", "US"), ("555-2671", "US"), ("5552671", "US"), ("415555267", "US"), ("41555526711", "US"),
    ("1415555267", "US"), ("+1415555267", None), ("+141555526711", None), ("12345", "US"), ("+12345", None),
    ("911", "US"), ("74454", "US"), ("112", "DE"), ("1234567", None), ("123456", "FO"), ("+298211234", None),
    ("+44 (0)20 7031 3000", None), ("+44 020 7031 3000", "GB"), ("0044 20 7031 3000", "DE"),
    ("011 44 20 7031 3000", "US"), ("020 7031 3000", "GB"), ("20 7031 3000", "GB"), ("+447911123456", "US"),
    ("07911 123456", "GB"), ("7911123456", "GB"), ("030/23125 000", "DE"), ("0151 23456789", "DE"),
    ("+49 (0) 151 23456789", None), ("06 698 12345", "IT"), ("+39 06 698 12345", None), ("347 123 4567", "IT"),
    ("+390236618300", "IT"), ("390236618300", "IT"), ("06 12 34 56 78", "FR"), ("612345678", "FR"),
    ("+33 (0)6 12 34 56 78", None), ("+52 1 55 1234 5678", None), ("044 55 1234 5678", "MX"),
    ("+54 9 11 2345 6789", None), ("011 15-2345-6789", "AR"), ("8 912 345-67-89", "RU"), ("+7 912 345 67 89", None),
    ("+7 701 234 5678", None), ("0412 345 678", "AU"), ("+61 0412 345 678", None), ("+800 1234 5678", None),
    ("+870 773 111 632", None), ("+883510012345", None), ("+15005550006", None), ("+15555550100", None),
    ("+266696687", None), ("+86282452253", None), ("+1 876 555 1234", None), ("+1 242 365 1234", None),
    ("+1 787 234 5678", None), ("+1 800 234 5678", None), ("+44 7781 123456", None), ("+358 18 12345", None),
    ("9123456789", "IN"), ("91 91234 56789", "IN"), ("7012345678", "KZ"), ("8 812 345-67-89", "RU"),
    ("+7 812 345-67-89", None), ("8 800 234 56 78", "RU"), ("+78002345678", None), ("81234567890", "US"),
    ("0 15 11 96123-4567", "BR"), ("0xx11 96123 4567", "BR"), ("+999 123456789", None), ("+0 123456789", None), ("+", "US"), ("", "US"), ("hello", "US"), ("++14155552671", "US"),
    ("1-800-FLOWERS", "US"), ("415 555 2671 ext. 5", "US"), ("415 555 2671 x5", "US"), ("jane@example.com", "US"),
    ("415-555-2671 / 415-555-2672", "US"), ("415 555 2671", "XX"), ("415 555 2671", "us"),
    ("+1 415 555 2671 +1 415 555 2672", None), ("123456789012345678", "US"), ("+491512345678901234", None),
]


def written(region):
    """The example numbers of a region as people write them, the mobile one damaged as well."""
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    significant = phonenumbers.national_significant_number(number)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    abroad = INTERNATIONAL_PREFIX.get(region, "00")
    yield national, region
    yield international, "US" if region != "US" else "GB"
    yield f"{abroad} {number.country_code} {significant}", region
    yield f"{number.country_code}{significant}", region
    yield significant[:-2], region
    yield significant + "1", region
    landline = phonenumbers.example_number_for_type(region, PhoneNumberType.FIXED_LINE)
    yield phonenumbers.format_number(landline, PhoneNumberFormat.NATIONAL), region
    yield phonenumbers.format_number(landline, PhoneNumberFormat.E164), None


REASONS = {ValidationResult.IS_POSSIBLE: "yes", ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "local_only"}


def judge(text, region):
    """One row: the number that the oracle reads, whether it is possible, and its country."""
    row = {"input": text, "region": region, "e164": None, "possible": "no", "country": None}
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return row
    country = phonenumbers.region_code_for_number(number)
    row["e164"] = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    row["possible"] = REASONS.get(phonenumbers.is_possible_number_with_reason(number), "no")
    row["country"] = None if country == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else country
    return row


def main():
    inputs = BY_HAND + [pair for region in REGIONS for pair in written(region)]
    rows = [json.dumps(judge(*pair), ensure_ascii=False) for pair in dict.fromkeys(inputs)]
    head = f'"oracle": "phonenumbers {phonenumbers.__version__}"'
    TARGET.write_text("{\n" + head + ',\n"numbers": [\n' + ",\n".join(rows) + "\n]\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
