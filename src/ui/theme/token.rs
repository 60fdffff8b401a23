//! Colours by role, light and dark.

use iced::{Color, color};

/// One look.
#[derive(Debug)]
pub struct Tokens {
    /// Behind lists and reading.
    pub surface: Color,
    /// Cards, dialogs, menus.
    pub surface_raised: Color,
    /// The sidebar, fields, skeletons.
    pub surface_sunken: Color,
    /// Under the pointer.
    pub hover: Color,
    /// Pressed.
    pub pressed: Color,
    pub hairline: Color,
    /// The border of fields and secondary buttons.
    pub border: Color,
    pub text: Color,
    pub text_muted: Color,
    /// Horn brass: what is selected, unread or primary, and nothing else.
    pub accent: Color,
    pub accent_soft: Color,
    pub accent_fill: Color,
    pub accent_fill_hover: Color,
    pub on_accent: Color,
    pub danger: Color,
    pub danger_soft: Color,
    pub on_danger: Color,
    pub warning: Color,
    pub warning_soft: Color,
    pub success: Color,
    pub focus: Color,
    /// Behind selected text.
    pub selection: Color,
    /// Laid over what is painted: marked text, what was found, where the find bar stands, a link under the pointer.
    pub over_selected: Color,
    pub over_hit: Color,
    pub over_hit_here: Color,
    pub over_link: Color,
    /// Quoted text, by depth.
    pub quotes: [Color; 3],
    /// The toast.
    pub inverse: Color,
    pub on_inverse: Color,
    pub inverse_accent: Color,
    /// Laid over the window under a dialog.
    pub scrim: Color,
    /// One for each account, in the order they were added.
    pub accounts: [Color; 6],
}

pub const LIGHT: Tokens = Tokens {
    surface: color!(0xff_ff_ff),
    surface_raised: color!(0xff_ff_ff),
    surface_sunken: color!(0xf6_f4_f0),
    hover: color!(0xf0_ed_e6),
    pressed: color!(0xe6_e1_d7),
    hairline: color!(0xe7_e3_db),
    border: color!(0xd0_ca_be),
    text: color!(0x21_1f_1b),
    text_muted: color!(0x65_60_57),
    accent: color!(0x80_5a_0c),
    accent_soft: color!(0xf6_ec_d2),
    accent_fill: color!(0x8c_64_12),
    accent_fill_hover: color!(0x7a_56_0c),
    on_accent: color!(0xff_ff_ff),
    danger: color!(0xb0_24_1c),
    danger_soft: color!(0xfb_e9_e7),
    on_danger: color!(0xff_ff_ff),
    warning: color!(0x8a_4b_00),
    warning_soft: color!(0xfd_f0_dc),
    success: color!(0x2a_66_38),
    focus: color!(0x8c_64_12),
    selection: color!(0xf0_dc_a8),
    over_selected: color!(0xc8_92_1e, 0.34),
    over_hit: color!(0xf2_c9_36, 0.36),
    over_hit_here: color!(0xf0_8c_1e, 0.55),
    over_link: color!(0x8c_64_12, 0.10),
    quotes: [color!(0x2c_5e_8c), color!(0x2f_68_4a), color!(0x7a_45_82)],
    inverse: color!(0x2a_27_22),
    on_inverse: color!(0xf5_f1_ea),
    inverse_accent: color!(0xe3_bd_68),
    scrim: Color {
        r: 0.10,
        g: 0.09,
        b: 0.08,
        a: 0.36,
    },
    accounts: [
        color!(0x3f_7c_b8),
        color!(0x4f_94_60),
        color!(0x96_5f_a8),
        color!(0xc4_6a_4a),
        color!(0x3c_95_95),
        color!(0x7a_82_94),
    ],
};

pub const DARK: Tokens = Tokens {
    surface: color!(0x1c_1b_19),
    // What white becomes in a message that is shown dark (`html/document/dark.rs`).
    surface_raised: color!(0x26_24_21),
    surface_sunken: color!(0x16_15_13),
    hover: color!(0x2a_28_24),
    pressed: color!(0x34_31_2c),
    hairline: color!(0x31_2e_2a),
    border: color!(0x4a_46_3f),
    text: color!(0xec_e8_e1),
    text_muted: color!(0xa9_a3_98),
    accent: color!(0xd9_b0_56),
    accent_soft: color!(0x3a_31_1e),
    accent_fill: color!(0xd2_a8_4c),
    accent_fill_hover: color!(0xdf_b9_66),
    on_accent: color!(0x1c_15_06),
    danger: color!(0xf2_8b_82),
    danger_soft: color!(0x40_24_22),
    on_danger: color!(0x2a_0c_0a),
    warning: color!(0xf0_a6_5c),
    warning_soft: color!(0x3d_2c_1a),
    success: color!(0x85_c6_91),
    focus: color!(0xd9_b0_56),
    selection: color!(0x5a_49_22),
    over_selected: color!(0xe0_ae_45, 0.36),
    over_hit: color!(0xe8_c4_4a, 0.32),
    over_hit_here: color!(0xf0_8c_1e, 0.55),
    over_link: color!(0xd9_b0_56, 0.14),
    quotes: [color!(0x8f_bf_ea), color!(0x92_c9_a6), color!(0xcf_a6_d8)],
    inverse: color!(0xe9_e4_db),
    on_inverse: color!(0x22_20_1c),
    inverse_accent: color!(0x74_50_08),
    scrim: Color {
        r: 0.0,
        g: 0.0,
        b: 0.0,
        a: 0.5,
    },
    accounts: [
        color!(0x6c_a5_dc),
        color!(0x7c_bd_8b),
        color!(0xbd_8c_cd),
        color!(0xe3_8f_70),
        color!(0x66_bd_bd),
        color!(0xa0_a8_b8),
    ],
};

/// The colour of the `n`th account.
#[must_use]
pub fn account_color(tokens: &Tokens, n: usize) -> Color {
    tokens
        .accounts
        .get(n % tokens.accounts.len())
        .copied()
        .unwrap_or(tokens.accent)
}
