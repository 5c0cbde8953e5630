//! Bars with their spread, and curves, as SVG.

use anyhow::Context;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::results::results_folder;

/// A bar: its length, and the quartiles between which the middle half of the rounds lay.
pub struct Bar {
    pub name: String,
    pub value: f64,
    pub spread: Option<(f64, f64)>,
    pub is_ours: bool,
}

/// A line through measured points.
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

const OURS: RGBColor = RGBColor(0x1b, 0x6e, 0x53);
const OTHERS: RGBColor = RGBColor(0x9a, 0xa5, 0xb1);
const FONT: &str = "sans-serif";

type Svg<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Writes `name.svg`: one bar for each, the longest cut where it would hide the others.
///
/// # Errors
/// If it cannot be drawn or written.
pub fn bars(name: &str, title: &str, unit: &str, bars: &[Bar]) -> anyhow::Result<()> {
    let path = results_folder().join(format!("{name}.svg"));
    let height = 90 + 26 * u32::try_from(bars.len())?;
    let area = SVGBackend::new(&path, (860, height)).into_drawing_area();
    draw_bars(&area, title, unit, bars).context("a picture of bars")
}

fn draw_bars(area: &Svg<'_>, title: &str, unit: &str, bars: &[Bar]) -> anyhow::Result<()> {
    area.fill(&WHITE)?;
    let (label_width, top, row) = (250, 50, 26);
    let width = 860 - label_width - 110;
    let full = scale(bars);
    let style = |size: u32| (FONT, size).into_font().color(&BLACK);
    area.draw(&Text::new(title.to_owned(), (10, 10), style(18)))?;
    let x = |value: f64| label_width + (value.clamp(0.0, full) / full * f64::from(width)) as i32;
    for (at, bar) in bars.iter().enumerate() {
        let y = top + row * i32::try_from(at)?;
        let color = if bar.is_ours { OURS } else { OTHERS };
        area.draw(&Text::new(bar.name.clone(), (10, y + 4), style(14)))?;
        area.draw(&Rectangle::new(
            [(x(0.0), y), (x(bar.value), y + row - 8)],
            color.filled(),
        ))?;
        let mut end = x(bar.value);
        if let Some((low, high)) = bar.spread {
            let middle = y + (row - 8) / 2;
            area.draw(&PathElement::new([(x(low), middle), (x(high), middle)], BLACK))?;
            for edge in [low, high] {
                area.draw(&PathElement::new(
                    [(x(edge), middle - 4), (x(edge), middle + 4)],
                    BLACK,
                ))?;
            }
            end = end.max(x(high));
        }
        let cut = if bar.value > full { "… " } else { "" };
        let value = format!("{cut}{} {unit}", thousands(bar.value));
        area.draw(&Text::new(value, (end + 8, y + 3), style(13)))?;
    }
    area.present()?;
    Ok(())
}

/// The second longest but one is shown whole if one is far longer than the rest.
fn scale(bars: &[Bar]) -> f64 {
    let mut values: Vec<_> = bars.iter().map(|bar| bar.value).collect();
    values.sort_by(f64::total_cmp);
    let longest = values.last().copied().unwrap_or(1.0);
    let usual = values.iter().rev().find(|value| **value * 8.0 < longest);
    usual.map_or(longest, |usual| usual * 2.0).max(1.0)
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

/// Writes `name.svg`: curves over a logarithmic argument.
///
/// # Errors
/// If it cannot be drawn or written.
pub fn curves(name: &str, title: &str, argument: &str, unit: &str, curves: &[Curve]) -> anyhow::Result<()> {
    let path = results_folder().join(format!("{name}.svg"));
    let area = SVGBackend::new(&path, (860, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let x = bounds(points().map(|(x, _)| *x));
    let y = bounds(points().map(|(_, y)| *y));
    let mut chart = ChartBuilder::on(&area)
        .caption(title, (FONT, 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(80)
        .build_cartesian_2d((x.0..x.1).log_scale(), (y.0 / 2.0..y.1 * 2.0).log_scale())?;
    label_axes(&mut chart, argument, unit)?;
    for (at, curve) in curves.iter().enumerate() {
        let color = Palette99::pick(at).to_rgba();
        let line = LineSeries::new(curve.points.iter().copied(), color.stroke_width(2)).point_size(3);
        chart
            .draw_series(line)?
            .label(curve.name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    area.present()?;
    Ok(())
}

fn label_axes<X, Y>(
    chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, Y>>,
    argument: &str,
    unit: &str,
) -> anyhow::Result<()>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .x_desc(argument)
        .y_desc(unit)
        .x_label_formatter(&|value| thousands(*value))
        .y_label_formatter(&|value| thousands(*value))
        .light_line_style(WHITE)
        .draw()?;
    Ok(())
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 1.0), |(least, most), value| {
        (least.min(value).max(1.0), most.max(value))
    })
}
