//! A picture as a part of an address, for those who make such a label and for those who check it.

/// Without what an address may not have in it.
pub fn in_an_address(picture: &str) -> String {
    let text = picture.replace('\n', "").replace('"', "'");
    let escaped = |byte: u8| match byte.is_ascii_alphanumeric() || b"-.,'/:=".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escaped).collect()
}
