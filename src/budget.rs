//! What the hot paths may cost: key writes, bytes and allocations, which are the same on every machine and in every run. The
//! budget is `tests/fixtures/budget.txt`.

const BUDGET: &str = include_str!("../tests/fixtures/budget.txt");

#[derive(Debug, PartialEq, Eq)]
pub struct Cost {
    /// Keys that are written or removed, and the bytes of all that is written.
    pub keys: usize,
    pub bytes: usize,
    pub allocations: u64,
}

/// Fails if it costs more than the budget has for it.
pub fn keep_to(operation: &str, cost: &Cost) {
    let lines = BUDGET.lines().filter(|line| !line.starts_with('#'));
    let mut lines = lines.filter_map(|line| line.split_once(':'));
    let (_, budget) = lines
        .find(|(name, _)| *name == operation)
        .unwrap_or_else(|| panic!("the budget has nothing for {operation:?}, which costs {cost:?}"));
    let [keys, bytes, allocations] = budget
        .split(',')
        .map(|number| number.trim().parse::<u64>().unwrap())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let within = cost.keys as u64 <= keys && cost.bytes as u64 <= bytes && cost.allocations <= allocations;
    assert!(
        within,
        "{operation}: {cost:?}, and the budget has {keys} keys, {bytes} bytes and {allocations} allocations for it. \
         Take out what was added; or, if it is worth that, raise tests/fixtures/budget.txt and say why"
    );
}
