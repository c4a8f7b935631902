//! Draws panels of lines or of bars, several to a picture.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A part of a picture.
pub struct Panel {
    pub title: String,
    pub content: Content,
}

/// What is in it.
pub enum Content {
    /// Values over numbers, of which each is twice the one before, or so.
    Lines {
        x_name: String,
        xs: Vec<u64>,
        y_name: String,
        logarithmic: bool,
        lines: Vec<(String, Vec<f64>)>,
    },
    /// A value for each name, with what to write beside it.
    Bars(Vec<(String, f64, String)>),
    /// Values below and above one, several for a name.
    Dots(Vec<(String, Vec<f64>)>),
}

const BAR: i32 = 17;
const SIZE: f64 = 15.0;
const BLACK_ISH: RGBColor = RGBColor(40, 40, 40);
const GRAY: RGBColor = RGBColor(150, 150, 150);

/// The same colour for the same contender in all pictures.
fn color(contender: &str) -> RGBColor {
    match contender {
        "futon" | "futon puller" => RGBColor(214, 39, 40),
        "futon one by one" | "futon Lock" => RGBColor(255, 152, 150),
        "std" => RGBColor(31, 119, 180),
        "parking_lot" => RGBColor(44, 160, 44),
        "usync" => RGBColor(148, 103, 189),
        "pthread" | "sem_t" => RGBColor(140, 86, 75),
        "tokio" | "orx" => RGBColor(227, 119, 194),
        "async-lock" | "orx by 64" => RGBColor(255, 127, 14),
        "rsevents" | "rayon" => RGBColor(23, 190, 207),
        "crossbeam-channel" => RGBColor(188, 189, 34),
        "fetch_add by 1" => RGBColor(120, 120, 60),
        "fetch_add by 64" => RGBColor(31, 119, 180),
        _ => GRAY,
    }
}

fn text(size: f64, color: &RGBColor) -> TextStyle<'_> {
    ("sans-serif", size).into_font().color(color)
}

/// Draws the panels, so many beside each other, each of this width and height.
pub fn draw(file: &Path, panels: &[Panel], columns: usize, (width, height): (u32, u32)) -> Result {
    let rows = panels.len().div_ceil(columns);
    let width_of_all = width * columns as u32;
    let legend = LEGEND * names(panels).len().div_ceil(legend_columns(width_of_all)) as u32;
    let size = (width_of_all, height * rows as u32 + legend);
    let root = SVGBackend::new(file, size).into_drawing_area();
    root.fill(&WHITE)?;
    let (top, rest) = root.split_vertically(legend);
    draw_legend(&top, panels)?;
    for (panel, area) in panels.iter().zip(rest.split_evenly((rows, columns))) {
        match &panel.content {
            Content::Lines { .. } => draw_lines(&area, panel)?,
            Content::Bars(bars) => draw_bars(&area, &panel.title, bars)?,
            Content::Dots(dots) => draw_dots(&area, &panel.title, dots)?,
        }
    }
    root.present()?;
    Ok(())
}

/// What the lines are called, each once.
fn names(panels: &[Panel]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for panel in panels {
        let Content::Lines { lines, .. } = &panel.content else { continue };
        for (name, _) in lines {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    names
}

const LEGEND: u32 = 20;
const LEGEND_COLUMN: u32 = 150;

fn legend_columns(width: u32) -> usize {
    (width / LEGEND_COLUMN).max(1) as usize
}

fn draw_legend(area: &Area, panels: &[Panel]) -> Result {
    let columns = legend_columns(area.dim_in_pixel().0);
    for (place, name) in names(panels).into_iter().enumerate() {
        let x = 12 + LEGEND_COLUMN as i32 * (place % columns) as i32;
        let y = 8 + LEGEND as i32 * (place / columns) as i32;
        area.draw(&PathElement::new(vec![(x, y + 6), (x + 18, y + 6)], color(name).stroke_width(3)))?;
        area.draw(&Text::new(name, (x + 23, y), text(SIZE, &BLACK_ISH)))?;
    }
    Ok(())
}

fn draw_lines(area: &Area, panel: &Panel) -> Result {
    let Content::Lines { x_name, xs, y_name, logarithmic, lines } = &panel.content else {
        return Ok(());
    };
    let values =
        || lines.iter().flat_map(|(_, values)| values.iter().copied()).filter(|value| *value > 0.0);
    let (low, high) = (values().fold(f64::MAX, f64::min), values().fold(0.0, f64::max));
    let x_range = -0.2..xs.len() as f64 - 0.8;
    let mut chart = ChartBuilder::on(area);
    chart.caption(&panel.title, text(SIZE + 1.0, &BLACK_ISH)).margin(8);
    chart.x_label_area_size(32).y_label_area_size(58);
    let x_label = |x: &f64| {
        let place = x.round();
        let is_one = (x - place).abs() < 1e-6 && place >= 0.0;
        xs.get(place as usize).filter(|_| is_one).map_or(String::new(), u64::to_string)
    };
    // Without the digits that are due to binary fractions.
    let y_label = |y: &f64| format!("{}", (y * 1e6).round() / 1e6);
    macro_rules! on {
        ($y_range:expr) => {{
            let mut chart = chart.build_cartesian_2d(x_range, $y_range)?;
            let mut mesh = chart.configure_mesh();
            mesh.x_labels(2 * xs.len() + 1).y_labels(6).disable_x_mesh();
            mesh.x_label_formatter(&x_label).y_label_formatter(&y_label).x_desc(x_name).y_desc(y_name);
            mesh.label_style(text(SIZE - 1.0, &BLACK_ISH)).light_line_style(TRANSPARENT).draw()?;
            for (name, values) in lines.iter().rev() {
                let width = if name.starts_with("futon") { 3 } else { 2 };
                let points = values.iter().enumerate().map(|(place, value)| (place as f64, *value));
                let points: Vec<_> = points.filter(|(_, value)| *value > 0.0).collect();
                chart.draw_series(LineSeries::new(points.clone(), color(name).stroke_width(width)))?;
                chart.draw_series(
                    points.into_iter().map(|point| Circle::new(point, width, color(name).filled())),
                )?;
            }
        }};
    }
    if *logarithmic {
        on!((low / 1.3..high * 1.3).log_scale());
    } else {
        on!(0.0..high * 1.08);
    }
    Ok(())
}

fn title(area: &Area, title: &str) -> Result {
    area.draw(&Text::new(title.to_owned(), (12, 10), text(SIZE + 1.0, &BLACK_ISH)))?;
    Ok(())
}

/// Bars from zero, as long as the values.
fn draw_bars(area: &Area, name: &str, bars: &[(String, f64, String)]) -> Result {
    title(area, name)?;
    let (width, _) = area.dim_in_pixel();
    let (left, right) = (150, width as i32 - 80);
    let longest = bars.iter().map(|(_, value, _)| *value).fold(f64::MIN_POSITIVE, f64::max);
    for (place, (name, value, label)) in bars.iter().enumerate() {
        let y = 32 + BAR * place as i32;
        let end = left + ((right - left) as f64 * value / longest) as i32;
        let to_the_left = text(SIZE, &BLACK_ISH).pos(Pos::new(HPos::Right, VPos::Top));
        area.draw(&Text::new(name.clone(), (left - 6, y), to_the_left))?;
        area.draw(&Rectangle::new(
            [(left, y), (end.max(left + 1), y + BAR - 4)],
            color(name).filled(),
        ))?;
        area.draw(&Text::new(label.clone(), (end + 5, y), text(SIZE, &BLACK_ISH)))?;
    }
    Ok(())
}

/// The height of a panel with so many bars or rows of dots.
pub fn height(rows: usize) -> u32 {
    (50 + BAR * rows as i32) as u32
}

/// On a logarithmic line, with one in its place.
fn draw_dots(area: &Area, name: &str, rows: &[(String, Vec<f64>)]) -> Result {
    title(area, name)?;
    let (width, height) = area.dim_in_pixel();
    let (left, right) = (330, width as i32 - 30);
    let values = || rows.iter().flat_map(|(_, values)| values.iter().copied());
    let low = values().fold(0.5, f64::min).log2().floor();
    let high = values().fold(2.0, f64::max).log2().ceil();
    let x = |value: f64| left + ((right - left) as f64 * (value.log2() - low) / (high - low)) as i32;
    let bottom = height as i32 - 12;
    for power in low as i32..=high as i32 {
        let value = f64::from(power).exp2();
        let line = if power == 0 { BLACK_ISH.stroke_width(2) } else { GRAY.mix(0.4).stroke_width(1) };
        area.draw(&PathElement::new(vec![(x(value), 44), (x(value), bottom)], line))?;
        let label =
            if power < 0 { format!("1/{}", 1u64 << -power) } else { (1u64 << power).to_string() };
        let centered = text(SIZE - 1.0, &BLACK_ISH).pos(Pos::new(HPos::Center, VPos::Top));
        area.draw(&Text::new(label, (x(value), 29), centered))?;
    }
    for (place, (name, values)) in rows.iter().enumerate() {
        let y = 48 + BAR * place as i32;
        let to_the_left = text(SIZE, &BLACK_ISH).pos(Pos::new(HPos::Right, VPos::Top));
        area.draw(&Text::new(name.clone(), (left - 12, y), to_the_left))?;
        for value in values {
            let color = if *value > 1.0 { color("futon") } else { color("parking_lot") };
            area.draw(&Circle::new((x(*value), y + 6), 4, color.mix(0.6).filled()))?;
        }
    }
    Ok(())
}
