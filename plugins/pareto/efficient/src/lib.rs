//! Points that no other point gives relatively more for what it costs
