//! The most that a number may be, wherever a user writes it: in a flag, in the configuration or in a file of requests.

/// The longest time, in seconds: a year.
pub const MOST_SECONDS: u32 = 31_536_000;

/// The longest prompt, in tokens: longer than any model takes, and short enough for some of them in memory.
pub const MOST_PROMPT_TOKENS: u32 = 10_000_000;

/// The most turns of a conversation: more than any model has room for.
pub const MOST_TURNS: u32 = 10_000;

/// How many different requests a run makes before it sends them again, and the most of a warm-up: more than any server
/// keeps in its cache.
pub const MOST_DIFFERENT_REQUESTS: u32 = 100_000;
