//! Flags, file and environment become a configuration, and a configuration a plan.
