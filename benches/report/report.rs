//! The report: which tables and plots there are, and which goals were reached.

use std::path::{Path, PathBuf};

use crate::growth::{Costs, Filled, PER_CONVERSATION, Pruned, Started};
use crate::results::{Results, bars, median, number, spread, table};
use crate::scenarios::{Rate, lasting};

pub const KANNEL_SPOOL: &str = "Kannel, spool";
pub const KANNEL_FILE: &str = "Kannel, file";
const BARE: &str = "bare handler";
const PAGE: &str = "docs/performance.md";
const PICTURES: &str = "docs/images/performance";
/// With more messages than that, a store's lists are drawn.
const LARGE: u64 = 1_000_000;

#[derive(Default)]
pub struct Report {
    rates: Results,
    p50: Results,
    p99: Results,
    p999: Results,
    costs: Vec<(&'static str, Costs)>,
    started: Vec<Vec<String>>,
    lists: Vec<Vec<String>>,
    /// Of the largest store: how many messages it has; what each list is called, and how often a second it is had.
    largest: u64,
    largest_lists: Vec<(String, Vec<f64>)>,
    pruned: Vec<Vec<String>>,
}

struct Goal {
    what: &'static str,
    against: &'static str,
    engine: &'static str,
    least: f64,
    /// It is the most, not the least.
    at_most: bool,
    measured: Vec<f64>,
}

impl Goal {
    fn row(&self) -> Vec<String> {
        let Self { what, against, engine, least, at_most, measured } = self;
        let middle = median(measured);
        let (sign, reached) = if *at_most { ("≤", middle <= *least) } else { ("≥", middle >= *least) };
        let (wanted, reached) = (format!("{sign} {least:.2}"), if reached { "yes" } else { "**no**" });
        vec![(*what).into(), (*against).into(), (*engine).into(), wanted, spread(measured), reached.into()]
    }
}

/// Who is shown, in this order.
const ALL: [(&str, &str); 5] = [
    ("fjall", "switchboard, fjall"),
    ("sled", "switchboard, sled"),
    (KANNEL_SPOOL, "Kannel, spool store"),
    (KANNEL_FILE, "Kannel, file store"),
    (BARE, "bare axum handler"),
];

impl Report {
    pub fn add(&mut self, what: &'static str, whose: &'static str, value: f64) {
        println!("  {what}, {whose}: {value:.3}");
        self.rates.add(what, whose, value);
    }

    pub fn rates(&mut self, what: &'static str, whose: &'static str, rate: Rate) {
        self.rates.add(what, whose, rate.per_second);
        self.p50.add(what, whose, rate.p50);
        self.p99.add(what, whose, rate.p99);
        self.p999.add(what, whose, rate.p999);
    }

    pub fn costs(&mut self, engine: &'static str, costs: Costs) {
        self.costs.push((engine, costs));
    }

    #[expect(clippy::cast_precision_loss, reason = "a few digits are enough")]
    pub fn started(
        &mut self,
        engine: &'static str,
        store: &Filled,
        started: &Started,
        lists: Vec<(&'static str, Rate)>,
        how: &str,
    ) {
        println!(
            "  {engine}, {} messages: ready in {:.2} s, after a kill in {:.2} s, {:.0} MiB, {} bytes a message",
            store.messages,
            started.first.as_secs_f64(),
            started.again.as_secs_f64(),
            started.memory.resident,
            store.disk / store.messages
        );
        self.started.push(vec![
            engine.into(),
            format!("{} ({how})", number(store.messages as f64)),
            number(store.disk as f64 / store.messages as f64),
            number(started.first.as_secs_f64()),
            number(started.again.as_secs_f64()),
            number(started.memory.resident),
        ]);
        if store.messages > LARGE {
            self.largest = store.messages;
            let shown = lists.iter().map(|(name, rate)| {
                let short = name.split(':').next().unwrap_or(name);
                (format!("switchboard, {engine}: {short}"), vec![rate.per_second])
            });
            self.largest_lists.extend(shown);
        }
        for (name, rate) in lists {
            println!("    {name}: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms", rate.per_second, rate.p50, rate.p99);
            self.lists.push(vec![
                engine.into(),
                number(store.messages as f64),
                name.into(),
                number(rate.per_second),
                number(rate.p50),
                number(rate.p99),
            ]);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a few digits are enough")]
    pub fn pruned(&mut self, engine: &'static str, pruned: &Pruned) {
        let mib = |bytes: u64| number(bytes as f64 / 1024.0 / 1024.0);
        let row = vec![
            engine.into(),
            number(pruned.messages as f64),
            number(pruned.took.as_secs_f64()),
            mib(pruned.before),
            mib(pruned.after),
        ];
        println!("  removed: {}", row.join(", "));
        self.pruned.push(row);
    }

    /// A row for each who was measured: how many a second, and how long each took.
    fn rate_table(&self, whats: &[&'static str]) -> String {
        let rows = whats.iter().flat_map(|what| {
            ALL.iter().filter_map(|(whose, name)| {
                let rates = self.rates.of(what, whose)?;
                let of = |results: &Results| {
                    results.of(what, whose).map_or("–".into(), |values| number(median(values)))
                };
                Some(vec![
                    (*name).to_owned(),
                    (*what).to_owned(),
                    spread(rates),
                    of(&self.p50),
                    of(&self.p99),
                    of(&self.p999),
                ])
            })
        });
        table(
            &["who", "what", "a second: median (lowest–highest)", "p50, ms", "p99, ms", "p99.9, ms"],
            &rows.collect::<Vec<_>>(),
        )
    }

    fn value_table(&self, whats: &[(&'static str, &str)]) -> String {
        let rows = whats.iter().flat_map(|(what, unit)| {
            ALL.iter().filter_map(move |(whose, name)| {
                Some(vec![
                    (*name).to_owned(),
                    (*what).to_owned(),
                    format!("{} {unit}", spread(self.rates.of(what, whose)?)),
                ])
            })
        });
        table(&["who", "what", "median (lowest–highest)"], &rows.collect::<Vec<_>>())
    }

    fn plot(&self, title: &str, unit: &str, what: &'static [&'static str]) -> Option<String> {
        let mut shown = Vec::new();
        for (whose, name) in ALL {
            // The best of what was measured of them.
            let best = what
                .iter()
                .filter_map(|what| self.rates.of(what, whose))
                .max_by(|a, b| median(a).total_cmp(&median(b)));
            shown.extend(best.map(|values| (name.to_owned(), values.to_vec())));
        }
        (!shown.is_empty()).then(|| bars(title, unit, &shown))
    }

    fn goals(&self) -> String {
        let goals = [("sled", [4.0, 5.0, 1.3, 1.0, 0.12]), ("fjall", [8.0, 8.0, 2.0, 1.5, 0.25])];
        let goals = goals.into_iter().flat_map(|(engine, least)| self.goals_of(engine, least));
        let rows: Vec<_> = goals.filter(|goal| !goal.measured.is_empty()).map(|goal| goal.row()).collect();
        table(&["goal", "against", "engine", "wanted", "median (lowest–highest)", "reached"], &rows)
    }

    fn goals_of(&self, engine: &'static str, least: [f64; 5]) -> Vec<Goal> {
        let [texts, receipts, accepted, dispatched, bare] = least;
        let ratio = |what, against, of| self.rates.ratios((what, engine), (against, of));
        let at_least =
            |what, against, least, measured| Goal { what, against, engine, least, at_most: false, measured };
        let at_most =
            |what, against, least, measured| Goal { what, against, engine, least, at_most: true, measured };
        let flush = median(self.rates.of("flush, us", "the disk").unwrap_or_default());
        let half = self.p99.of("texts, at half the rate", engine).unwrap_or_default();
        let half = half.iter().map(|ms| ms * 1_000.0 / flush).collect();
        let measured = |what| self.rates.of(what, engine).unwrap_or_default().to_vec();
        let (many, few) = ("texts, 64 connections", "texts, 8 connections");
        let (taken, by_kannel) = ("receipts, 64 connections", "receipts, 32 connections");
        vec![
            at_least("texts taken", "Kannel, spool, 8 connections", texts, ratio(many, few, KANNEL_SPOOL)),
            at_least("texts taken", "Kannel, file, 8 connections", texts, ratio(many, few, KANNEL_FILE)),
            at_least("receipts taken", "Kannel, spool", receipts, ratio(taken, by_kannel, KANNEL_SPOOL)),
            at_least("receipts taken", "Kannel, file", receipts, ratio(taken, by_kannel, KANNEL_FILE)),
            at_least(
                "agents' texts accepted",
                "Kannel, file",
                accepted,
                ratio("accepted", "accepted", KANNEL_FILE),
            ),
            at_least(
                "a backlog leaving, 0 ms",
                "Kannel, file",
                dispatched,
                ratio("dispatched", "dispatched", KANNEL_FILE),
            ),
            at_least("leaving, 200 ms", "a pace of 1,000 a second", 0.97, measured("paced, 200 ms")),
            at_least("texts taken", "a bare axum handler", bare, ratio(many, many, BARE)),
            at_most("p99 of a text at half the rate", "the disk's flush", 40.0, half),
            at_most(
                "idle, text in to bot called, p99, ms",
                "5 ms and a commit",
                5.0 + flush / 1_000.0,
                measured("idle, to the bot, p99"),
            ),
            at_most(
                "memory at rest",
                "Kannel's two processes",
                1.5,
                ratio("memory at rest", "memory at rest", KANNEL_FILE),
            ),
        ]
    }

    fn cost_table(&self) -> String {
        let rows = self.costs.iter().flat_map(|(engine, costs)| {
            costs.operations.iter().map(|(name, few, many)| {
                vec![
                    (*engine).to_owned(),
                    (*name).to_owned(),
                    format!("{few:.3}"),
                    format!("{many:.3}"),
                    format!("{:.2}", many / few),
                ]
            })
        });
        table(
            &["engine", "operation", "10 thousand, ms", "10 million, ms", "ratio"],
            &rows.collect::<Vec<_>>(),
        )
    }

    /// All of it, by name: what stands between that name's marks in the page.
    fn blocks(&self) -> Vec<(&'static str, String)> {
        let flush = self.rates.of("flush, us", "the disk").unwrap_or_default();
        vec![
            (
                "machine",
                format!(
                    "{}; a write of 4 KiB with its flush takes {} µs, the longest in {} s {} ms.",
                    machine(),
                    spread(flush),
                    number(lasting().as_secs_f64()),
                    spread(self.rates.of("the longest flush, ms", "the disk").unwrap_or_default())
                ),
            ),
            ("goals", self.goals()),
            (
                "inbound",
                self.rate_table(&[
                    "texts, 8 connections",
                    "texts, 64 connections",
                    "texts, at half the rate",
                ]) + "\n"
                    + &self.value_table(&[("texts told to the application", "a second")]),
            ),
            (
                "receipts",
                self.rate_table(&[
                    "receipts, 8 connections",
                    "receipts, 32 connections",
                    "receipts, 64 connections",
                ]),
            ),
            (
                "outbound",
                self.rate_table(&["accepted"])
                    + "\n"
                    + &self.value_table(&[
                        ("dispatched", "a second"),
                        ("paced, 50 ms", "of the pace"),
                        ("paced, 200 ms", "of the pace"),
                    ]),
            ),
            (
                "whole",
                self.value_table(&[
                    ("conversations", "a second"),
                    ("busy, to the bot", "ms, p99"),
                    ("busy, to the provider", "ms, p99"),
                    ("idle, to the bot, p50", "ms"),
                    ("idle, to the bot, p99", "ms"),
                    ("idle, to the provider, p99", "ms"),
                ]),
            ),
            (
                "memory",
                self.value_table(&[
                    ("memory at rest", "MiB"),
                    ("memory after texts", "MiB"),
                    ("memory with a backlog", "MiB"),
                ]),
            ),
            ("costs", self.cost_table()),
            (
                "stores",
                table(
                    &[
                        "engine",
                        "messages",
                        "bytes a message on disk",
                        "ready in, s",
                        "after kill -9, s",
                        "memory, MiB",
                    ],
                    &self.started,
                ),
            ),
            (
                "retention",
                table(
                    &["engine", "messages removed", "in, s", "MiB on disk before", "MiB after"],
                    &self.pruned,
                ),
            ),
            ("lists", table(&["engine", "messages", "list", "a second", "p50, ms", "p99, ms"], &self.lists)),
        ]
    }

    #[expect(clippy::cast_precision_loss, reason = "a few digits are enough")]
    fn plots(&self) -> Vec<(&'static str, String)> {
        [
            (
                "inbound",
                "Customers' texts taken",
                "/s",
                &["texts, 64 connections", "texts, 8 connections"][..],
            ),
            (
                "receipts",
                "Receipts taken",
                "/s",
                &["receipts, 64 connections", "receipts, 32 connections", "receipts, 8 connections"][..],
            ),
            ("accepted", "Agents' texts accepted, 32 connections, while they leave", "/s", &["accepted"][..]),
            (
                "dispatched",
                "A backlog leaving for a provider that answers at once",
                "/s",
                &["dispatched"][..],
            ),
            (
                "conversations",
                "Whole conversations: text, turn, answer, two receipts",
                "/s",
                &["conversations"][..],
            ),
            ("memory", "Memory at rest", "MiB", &["memory at rest"][..]),
        ]
        .into_iter()
        .filter_map(|(name, title, unit, what)| Some((name, self.plot(title, unit, what)?)))
        .chain((!self.largest_lists.is_empty()).then(|| {
            let conversations = number((self.largest / PER_CONVERSATION) as f64);
            let title = format!("The console's lists with {conversations} conversations stored, 8 clients");
            ("lists", bars(&title, "/s", &self.largest_lists))
        }))
        .collect()
    }

    pub fn write(&self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let into_docs = std::env::var("WRITE").is_ok();
        let pictures = if into_docs { root.join(PICTURES) } else { root.join("target/report") };
        std::fs::create_dir_all(&pictures).unwrap();
        for (name, svg) in self.plots() {
            std::fs::write(pictures.join(format!("{name}.svg")), svg).unwrap();
        }
        let blocks = self.blocks();
        if into_docs {
            let page: PathBuf = root.join(PAGE);
            let mut text = std::fs::read_to_string(&page).unwrap();
            for (name, block) in &blocks {
                text = replaced(&text, name, block);
            }
            std::fs::write(&page, text).unwrap();
        }
        let tables: Vec<_> = blocks.iter().map(|(name, block)| format!("## {name}\n\n{block}\n")).collect();
        let tables = tables.concat();
        std::fs::create_dir_all(root.join("target/report")).unwrap();
        std::fs::write(root.join("target/report/tables.md"), &tables).unwrap();
        println!("\n{tables}");
    }
}

fn replaced(page: &str, name: &str, block: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{PAGE} has no place for {name}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{PAGE} has no end of {name}"));
    format!("{before}{begin}{}\n{end}{after}", block.trim_end())
}

fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory: f64 =
        field(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
    format!(
        "{cores} cores ({}), {:.0} GiB, Linux {}",
        field(&read("/proc/cpuinfo"), "model name"),
        memory / 1024.0 / 1024.0,
        read("/proc/sys/kernel/osrelease").trim()
    )
}
