//! What the random commands once found, each in the fewest commands.
