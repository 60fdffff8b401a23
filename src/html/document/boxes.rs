//! What a node's computed style says about its box, as far as sizing and mending tables need it.

use blitz_dom::Node;
use style::values::computed::{Length, LengthPercentage, Margin, MaxSize, Size};
use style::values::specified::box_::{DisplayInside, DisplayOutside};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Makes no box.
    None,
    /// Its children stand for it.
    Contents,
    /// A part of a line.
    Inline,
    Block,
    /// A block within a line.
    InlineBlock,
    Table,
    Rows,
    Row,
    Cell,
    Columns,
    Caption,
    /// Flexible boxes in a row, a column, or a grid.
    FlexRow,
    FlexColumn,
    Grid,
}

impl Kind {
    /// Whether the box may stand only within a table.
    pub(super) fn is_table_part(self) -> bool {
        matches!(
            self,
            Kind::Rows | Kind::Row | Kind::Cell | Kind::Columns | Kind::Caption
        )
    }
}

/// Lengths in CSS pixels, left and right.
#[derive(Clone, Debug)]
pub(super) struct BoxStyle {
    pub(super) kind: Kind,
    pub(super) is_float: bool,
    pub(super) is_out_of_flow: bool,
    pub(super) counts_border: bool,
    pub(super) width: Option<LengthPercentage>,
    pub(super) height: Option<LengthPercentage>,
    pub(super) least: Option<LengthPercentage>,
    pub(super) most: Option<LengthPercentage>,
    pub(super) margin: [Option<LengthPercentage>; 2],
    pub(super) padding: [LengthPercentage; 2],
    pub(super) border: f32,
    pub(super) wraps: bool,
}

impl BoxStyle {
    /// Nothing for text and for what was not styled.
    pub(super) fn of(node: &Node) -> Option<BoxStyle> {
        let styles = node.primary_styles()?;
        let border = styles.get_border();
        let side = |width: f32, hidden: bool| if hidden { 0.0 } else { width };
        let border_sides = [
            side(
                border.border_left_width.0.to_f32_px(),
                border.border_left_style.none_or_hidden(),
            ),
            side(
                border.border_right_width.0.to_f32_px(),
                border.border_right_style.none_or_hidden(),
            ),
        ];
        let kind = kind_of(node)?;
        let position = styles.clone_position();
        Some(BoxStyle {
            kind,
            is_float: styles.clone_float().is_floating(),
            is_out_of_flow: position.is_absolutely_positioned(),
            counts_border: styles.clone_box_sizing() == style::computed_values::box_sizing::T::BorderBox,
            width: size(&styles.clone_width()),
            height: size(&styles.clone_height()),
            least: size(&styles.clone_min_width()),
            most: most(&styles.clone_max_width()),
            margin: [
                margin(&styles.clone_margin_left()),
                margin(&styles.clone_margin_right()),
            ],
            padding: [styles.clone_padding_left().0, styles.clone_padding_right().0],
            border: border_sides.iter().sum(),
            wraps: styles.clone_flex_wrap() != style::computed_values::flex_wrap::T::NOWRAP,
        })
    }

    /// Padding and border, left and right, for a containing block of this width.
    pub(super) fn inset(&self, basis: f32) -> f32 {
        self.border
            + self
                .padding
                .iter()
                .map(|padding| resolve(padding, basis))
                .sum::<f32>()
    }

    pub(super) fn outset(&self, basis: f32) -> f32 {
        self.margin
            .iter()
            .flatten()
            .map(|margin| resolve(margin, basis))
            .sum()
    }

    /// A length that needs no containing block, as the width of the border box.
    pub(super) fn fixed(&self, length: Option<&LengthPercentage>) -> Option<f32> {
        let length = length?.to_length()?.px();
        Some(if self.counts_border {
            length.max(self.inset(0.0))
        } else {
            length + self.inset(0.0)
        })
    }

    /// A length or share as the width of the border box.
    pub(super) fn resolved(&self, length: Option<&LengthPercentage>, basis: f32) -> Option<f32> {
        let length = resolve(length?, basis);
        let inset = self.inset(basis);
        Some(if self.counts_border {
            length.max(inset)
        } else {
            length + inset
        })
    }

    /// Per cent of the containing block, as a share.
    pub(super) fn share(&self) -> Option<f32> {
        Some(self.width.as_ref()?.to_percentage()?.0)
    }
}

pub(super) fn kind_of(node: &Node) -> Option<Kind> {
    let display = node.primary_styles()?.clone_display();
    let is_inline = display.outside() == DisplayOutside::Inline;
    if display.outside() == DisplayOutside::TableCaption {
        return Some(Kind::Caption);
    }
    Some(match display.inside() {
        DisplayInside::None => Kind::None,
        DisplayInside::Contents => Kind::Contents,
        DisplayInside::Flow if is_inline => Kind::Inline,
        DisplayInside::FlowRoot if is_inline => Kind::InlineBlock,
        DisplayInside::Flow | DisplayInside::FlowRoot => Kind::Block,
        DisplayInside::Flex => {
            use style::computed_values::flex_direction::T as Direction;
            match node.primary_styles()?.clone_flex_direction() {
                Direction::Row | Direction::RowReverse => Kind::FlexRow,
                Direction::Column | Direction::ColumnReverse => Kind::FlexColumn,
            }
        }
        DisplayInside::Grid => Kind::Grid,
        DisplayInside::Table => Kind::Table,
        DisplayInside::TableRowGroup | DisplayInside::TableHeaderGroup | DisplayInside::TableFooterGroup => {
            Kind::Rows
        }
        DisplayInside::TableColumn | DisplayInside::TableColumnGroup => Kind::Columns,
        DisplayInside::TableRow => Kind::Row,
        DisplayInside::TableCell => Kind::Cell,
    })
}

pub(super) fn resolve(length: &LengthPercentage, basis: f32) -> f32 {
    length.resolve(Length::new(basis)).px()
}

fn size(size: &Size) -> Option<LengthPercentage> {
    match size {
        Size::LengthPercentage(length) => Some(length.0.clone()),
        _ => None,
    }
}

fn most(size: &MaxSize) -> Option<LengthPercentage> {
    match size {
        MaxSize::LengthPercentage(length) => Some(length.0.clone()),
        _ => None,
    }
}

fn margin(margin: &Margin) -> Option<LengthPercentage> {
    match margin {
        Margin::LengthPercentage(length) => Some(length.clone()),
        _ => None,
    }
}
