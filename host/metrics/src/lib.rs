//! Records become metrics of a run, and runs become points with confidence intervals.
