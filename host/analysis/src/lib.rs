//! Points become best configurations, Pareto fronts and trends.
