//! Points that no other point equals or beats on every objective
