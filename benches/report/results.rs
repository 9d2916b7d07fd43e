//! What was measured, and how it is shown: medians with their spread, ratios of the same round, tables and plots.

use std::collections::BTreeMap;
use std::fmt::Write;

/// What was measured of whom, round by round.
#[derive(Default)]
pub struct Results(BTreeMap<(&'static str, &'static str), Vec<f64>>);

impl Results {
    pub fn add(&mut self, what: &'static str, whose: &'static str, value: f64) {
        self.0.entry((what, whose)).or_default().push(value);
    }

    pub fn of(&self, what: &'static str, whose: &'static str) -> Option<&[f64]> {
        self.0.get(&(what, whose)).map(Vec::as_slice)
    }

    /// Of each round, how many times as much as another.
    pub fn ratios(&self, one: (&'static str, &'static str), other: (&'static str, &'static str)) -> Vec<f64> {
        let pairs = self
            .of(one.0, one.1)
            .unwrap_or_default()
            .iter()
            .zip(self.of(other.0, other.1).unwrap_or_default());
        pairs.map(|(one, other)| one / other).collect()
    }
}

pub fn median(of: &[f64]) -> f64 {
    let mut of = of.to_vec();
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}

fn bounds(of: &[f64]) -> (f64, f64) {
    (of.iter().copied().fold(f64::INFINITY, f64::min), of.iter().copied().fold(0.0, f64::max))
}

/// With as many digits as say something.
pub fn number(value: f64) -> String {
    match value {
        _ if value.is_nan() => "–".into(),
        _ if value >= 1_000.0 => {
            let digits = format!("{value:.0}");
            let threes: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
            String::from_utf8(threes.join(&b',')).unwrap()
        }
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The median, and between what it lies.
pub fn spread(of: &[f64]) -> String {
    let (low, high) = bounds(of);
    match of.len() {
        0 => "–".into(),
        1 => number(of[0]),
        _ => format!("{} ({}–{})", number(median(of)), number(low), number(high)),
    }
}

/// A table of Markdown.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::from("|");
        cells.for_each(|cell| write!(line, " {cell} |").unwrap());
        line + "\n"
    };
    let mut table = line(&mut head.iter().copied());
    table.push_str(&line(&mut head.iter().map(|_| "---")));
    for row in rows {
        table.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    table
}

const WIDTH: f64 = 870.0;
const LABELS: f64 = 320.0;
const BAR: f64 = 22.0;
const GAP: f64 = 12.0;
const TOP: f64 = 40.0;

/// A bar for each: the median, with a line from the lowest to the highest.
pub fn bars(title: &str, unit: &str, of: &[(String, Vec<f64>)]) -> String {
    let most = of.iter().map(|(_, values)| bounds(values).1).fold(0.0, f64::max);
    let x = |value: f64| LABELS + value / most * (WIDTH - LABELS - 120.0);
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let height = TOP + of.len() as f64 * (BAR + GAP) + 8.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\" font-weight=\"600\" fill=\"#1b1f24\">{title}</text>\n"
    );
    for (place, (name, values)) in of.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let y = TOP + place as f64 * (BAR + GAP);
        let (middle, (low, high)) = (median(values), bounds(values));
        let colour = if name.starts_with("switchboard") { "#2f6fde" } else { "#9aa4b2" };
        let (mid, text) = (y + BAR / 2.0, y + BAR / 2.0 + 4.5);
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{text:.1}\" text-anchor=\"end\" fill=\"#1b1f24\">{name}</text>\
             <rect x=\"{LABELS}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{mid:.1}\" y2=\"{mid:.1}\" stroke=\"#1b1f24\" stroke-width=\"1.5\"/>\
             <text x=\"{:.1}\" y=\"{text:.1}\" fill=\"#1b1f24\">{} {unit}</text>",
            LABELS - 10.0,
            x(middle) - LABELS,
            x(low),
            x(high),
            x(high) + 8.0,
            number(middle)
        )
        .unwrap();
    }
    svg + "</svg>\n"
}
