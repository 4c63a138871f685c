//! Charts as SVG.

use aiperf_model::figure;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::ops::Range;

/// Width and height, in pixels; the page scales them.
const SIZE: (u32, u32) = (640, 380);
/// From this ratio of the largest to the smallest position on, positions are spread by their ratios.
const WIDE: f64 = 8.0;
/// The part of the width that is left free on either side.
const ROOM: f64 = 0.06;
/// More ticks than these would touch each other.
const MOST_TICKS: usize = 12;
/// Colours that can be told apart also by those who see no red and green (Okabe and Ito 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(90, 90, 90),
];
const GRID: RGBColor = RGBColor(232, 235, 240);
const QUIET: RGBColor = RGBColor(91, 100, 116);

/// A chart of lines, or of labelled points.
#[derive(Debug, Default)]
pub(super) struct Chart {
    pub(super) x_name: String,
    pub(super) y_name: String,
    pub(super) lines: Vec<Line>,
    /// Positions that are marked across the whole height.
    pub(super) marks: Vec<f64>,
    pub(super) points: Vec<Labelled>,
}

/// One line, with its samples in ascending order.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Empty where there is only one.
    pub(super) name: String,
    pub(super) samples: Vec<Sample>,
}

#[derive(Debug)]
pub(super) struct Sample {
    pub(super) x: f64,
    pub(super) y: f64,
    /// The ends of its interval.
    pub(super) interval: Option<(f64, f64)>,
    /// The single trials, if there are several.
    pub(super) trials: Vec<f64>,
}

/// One point with a label.
#[derive(Debug)]
pub(super) struct Labelled {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) label: String,
    /// Whether it is filled, and on the line that connects those that are.
    pub(super) is_chosen: bool,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failed<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

impl Chart {
    /// The chart as an SVG element, or none if it has nothing to show.
    pub(super) fn svg(&self) -> Option<String> {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let drawn = self.draw(&area);
        drop(area);
        // Nothing but memory is written to, so what cannot be drawn has no extent.
        drawn.ok().map(|()| svg)
    }

    fn draw<'a>(&self, area: &Area<'a>) -> Result<(), Failed<'a>> {
        let heights = self.heights();
        let top = heights.iter().copied().fold(0.0, f64::max);
        let bottom = heights.iter().copied().fold(0.0, f64::min);
        let room = if top > bottom { (top - bottom) * 0.08 } else { 1.0 };
        let x = if self.points.is_empty() {
            Positions::of_samples(self.positions())
        } else {
            Positions::of_points(&self.positions())
        };
        let y = (if bottom < 0.0 { bottom - room } else { 0.0 })..top + room;
        let mut context = ChartBuilder::on(area);
        context.margin(12).x_label_area_size(44).y_label_area_size(64);
        let mut chart = context.build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(QUIET)
            .label_style(("sans-serif", 13, &QUIET))
            .axis_desc_style(("sans-serif", 14, &QUIET))
            .x_desc(&self.x_name)
            .y_desc(&self.y_name)
            .x_label_formatter(&|position| tick(*position))
            .y_label_formatter(&|value| tick(*value))
            .draw()?;
        for mark in self.marks.iter().copied() {
            chart.draw_series(DashedLineSeries::new(
                [(mark, bottom), (mark, top + room)],
                5,
                4,
                QUIET.stroke_width(1),
            ))?;
        }
        for (line, colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            let at = |sample: &Sample| sample.x;
            let edge = |end: fn((f64, f64)) -> f64| {
                line.samples.iter().filter_map(move |sample| Some((at(sample), end(sample.interval?))))
            };
            let band: Vec<_> = edge(|(low, _)| low).chain(edge(|(_, high)| high).rev()).collect();
            chart.draw_series([Polygon::new(band, colour.mix(0.15))])?;
            let means = line.samples.iter().map(|sample| (at(sample), sample.y));
            let drawn = chart.draw_series(LineSeries::new(means.clone(), colour.stroke_width(2)))?;
            if !line.name.is_empty() {
                drawn
                    .label(&line.name)
                    .legend(|(x, y)| PathElement::new([(x, y), (x + 14, y)], colour.stroke_width(2)));
            }
            chart.draw_series(means.map(|mean| Circle::new(mean, 3, colour.filled())))?;
            let trials = line.samples.iter().flat_map(|sample| {
                sample
                    .trials
                    .iter()
                    .map(move |trial| Circle::new((at(sample), *trial), 2, colour.mix(0.45).filled()))
            });
            chart.draw_series(trials)?;
        }
        self.draw_points(&mut chart)?;
        if self.lines.len() > 1 {
            chart
                .configure_series_labels()
                .background_style(WHITE.mix(0.8))
                .border_style(GRID)
                .label_font(("sans-serif", 12, &QUIET))
                .draw()?;
        }
        area.present()
    }

    fn draw_points<'a>(
        &self,
        chart: &mut ChartContext<'_, SVGBackend<'a>, Cartesian2d<Positions, RangedCoordf64>>,
    ) -> Result<(), Failed<'a>> {
        let [colour, ..] = COLOURS;
        let mut front: Vec<_> =
            self.points.iter().filter(|point| point.is_chosen).map(|point| (point.x, point.y)).collect();
        front.sort_by(|a, b| a.0.total_cmp(&b.0));
        chart.draw_series(LineSeries::new(front, colour.mix(0.5).stroke_width(1)))?;
        for point in &self.points {
            let style = if point.is_chosen { colour.filled() } else { QUIET.stroke_width(1) };
            chart.draw_series([Circle::new((point.x, point.y), 5, style)])?;
            let text_style = ("sans-serif", 13).into_font().color(&QUIET);
            chart
                .draw_series([EmptyElement::at((point.x, point.y))
                    + Text::new(point.label.clone(), (8, -14), text_style)])?;
        }
        Ok(())
    }

    fn positions(&self) -> Vec<f64> {
        let samples = self.lines.iter().flat_map(|line| &line.samples).map(|sample| sample.x);
        samples.chain(self.points.iter().map(|point| point.x)).collect()
    }

    fn heights(&self) -> Vec<f64> {
        let samples = self.lines.iter().flat_map(|line| &line.samples);
        let of_sample = |sample: &Sample| {
            let interval = sample.interval.map(|(low, high)| [low, high]).into_iter().flatten();
            interval.chain(sample.trials.iter().copied()).chain([sample.y]).collect::<Vec<_>>()
        };
        samples.flat_map(of_sample).chain(self.points.iter().map(|point| point.y)).collect()
    }
}

/// The x axis, whose positions are spread as they are, or by their ratios where they grow like those.
struct Positions {
    low: f64,
    high: f64,
    by_ratio: bool,
    ticks: Vec<f64>,
}

impl Positions {
    /// Of lines, with ticks under their samples.
    fn of_samples(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        samples.dedup();
        let (low, high) = ends(&samples);
        let step = samples.len().div_ceil(MOST_TICKS).max(1);
        let ticks = samples.into_iter().step_by(step).collect();
        if low > 0.0 && high / low >= WIDE {
            let room = (high / low).powf(ROOM);
            Self { low: low / room, high: high * room, by_ratio: true, ticks }
        } else {
            let room = room(low, high);
            Self { low: low - room, high: high + room, by_ratio: false, ticks }
        }
    }

    /// Of single points, with round ticks.
    fn of_points(points: &[f64]) -> Self {
        let (low, high) = ends(points);
        let room = room(low, high);
        let range = RangedCoordf64::from(low - room..high + room);
        Self { low: low - room, high: high + room, by_ratio: false, ticks: range.key_points(8) }
    }
}

impl Ranged for Positions {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, position: &f64, (left, right): (i32, i32)) -> i32 {
        let place = |position: f64| if self.by_ratio { position.ln() } else { position };
        let share = (place(*position) - place(self.low)) / (place(self.high) - place(self.low));
        left + (share * f64::from(right - left)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

fn ends(positions: &[f64]) -> (f64, f64) {
    let low = positions.iter().copied().fold(f64::INFINITY, f64::min);
    (low, positions.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

fn room(low: f64, high: f64) -> f64 {
    if high > low { (high - low) * ROOM } else { 1.0 }
}

/// As few digits as a label needs.
fn tick(value: f64) -> String {
    figure::chosen(value)
}
