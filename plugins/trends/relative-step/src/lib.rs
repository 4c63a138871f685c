//! Inflections where a step differs from the one before by more than half
