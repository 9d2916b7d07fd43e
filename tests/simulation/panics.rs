//! Panics of the gateway's own tasks, which tokio catches: here each of them is a broken promise.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on panics are remembered, each on its thread.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            LAST.with(|last| last.replace(Some(panic.to_string())));
            before(panic);
        }));
    });
}

/// The last panic of this thread that nobody has taken yet.
pub fn take() -> Option<String> {
    LAST.with(RefCell::take)
}
