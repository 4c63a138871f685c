//! One run of the plan becomes records.
