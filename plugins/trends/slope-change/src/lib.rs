//! Inflections where the slope turns, or changes by a factor
