//! Long words into texts: where a sentence ends if there is such a place, else between words, else anywhere that is not
//! within a character. Nothing but white space is lost.

use unicode_segmentation::UnicodeSegmentation;

use crate::domain::segments::utf16_units;

/// The texts, each of at most `max_units` UTF-16 units (at least 2); none for white space.
pub fn split(text: &str, max_units: usize) -> Vec<String> {
    let mut rest = text.trim();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(cut(rest, max_units));
        pieces.push(piece.trim_end().to_owned());
        rest = left.trim_start();
    }
    pieces
}

/// What stands before the end of the last sentence, or none if none ended.
pub fn until_last_sentence(text: &str) -> Option<&str> {
    let text = text.trim_end();
    if ends_sentence(text) {
        return Some(text).filter(|text| !text.is_empty());
    }
    let whole = sentence_ends(text).filter(|end| *end < text.len());
    let end = whole.filter(|end| ends_sentence(&text[..*end])).last()?;
    Some(text[..end].trim_end())
}

fn cut(text: &str, max_units: usize) -> usize {
    let fits = fitting(text, max_units);
    if fits == text.len() {
        return fits;
    }
    // A text that is nearly empty before a long sentence would look broken: then rather within the sentence.
    let early = fits / 2;
    let last = |places: &mut dyn Iterator<Item = usize>| {
        places.take_while(|place| *place <= fits).filter(|place| *place > early).last()
    };
    let mut words = text.char_indices().filter(|(_, letter)| letter.is_whitespace()).map(|(place, _)| place);
    let mut letters = text.grapheme_indices(true).map(|(place, _)| place);
    last(&mut sentence_ends(text)).or_else(|| last(&mut words)).or_else(|| last(&mut letters)).unwrap_or(fits)
}

fn sentence_ends(text: &str) -> impl Iterator<Item = usize> {
    text.split_sentence_bound_indices().map(|(start, sentence)| start + sentence.len())
}

fn ends_sentence(text: &str) -> bool {
    let closing = |letter: char| matches!(letter, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '*' | '_');
    let end = text.trim_end().trim_end_matches(closing);
    end.ends_with(['.', '!', '?', '…', '。', '！', '？']) || text.ends_with('\n')
}

/// How many bytes of its beginning fit.
fn fitting(text: &str, max_units: usize) -> usize {
    if utf16_units(text) <= max_units {
        return text.len();
    }
    let mut units = 0;
    let over = text.char_indices().find(|(_, letter)| {
        units += letter.len_utf16();
        units > max_units
    });
    over.map_or(text.len(), |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sentence_is_kept_whole_where_it_can_be() {
        assert_eq!(split("We are open. Come in today.", 20), ["We are open.", "Come in today."]);
        assert_eq!(split("  ", 20), Vec::<String>::new());
        assert_eq!(split("short", 20), ["short"]);
    }

    #[test]
    fn a_long_sentence_is_cut_between_words_and_a_long_word_between_letters() {
        assert_eq!(split("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(split("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(split("e\u{301}e\u{301}e\u{301}", 3), ["e\u{301}", "e\u{301}", "e\u{301}"]);
        assert_eq!(split("👩‍👩‍👧", 4).concat(), "👩‍👩‍👧");
    }

    #[test]
    fn a_short_sentence_does_not_stand_alone_before_a_long_one() {
        assert_eq!(split("Yes. The long sentence goes on", 20), ["Yes. The long", "sentence goes on"]);
    }

    #[test]
    fn what_was_cut_off_ends_with_its_last_sentence() {
        assert_eq!(until_last_sentence("One. Two? Thr"), Some("One. Two?"));
        assert_eq!(until_last_sentence("One. Two?"), Some("One. Two?"));
        assert_eq!(until_last_sentence("One tw"), None);
        assert_eq!(until_last_sentence("We have:\n- tea\n- cof"), Some("We have:\n- tea"));
        assert_eq!(until_last_sentence(""), None);
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_is_lost_and_every_text_fits(text in "\\PC{0,200}|[a-z.!? \\n😀é]{0,300}", max in 2_usize..40) {
            let pieces = split(&text, max);
            let dense = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            prop_assert_eq!(dense(&pieces.concat()), dense(&text));
            for piece in pieces {
                prop_assert!(!piece.trim().is_empty() && utf16_units(&piece) <= max, "{:?}", piece);
            }
        }
    }
}
