//! The document against a model that is too simple to be wrong, and the habits of real editors one by one.

use proptest::prelude::*;

use crate::text::lines::Lines;
use crate::text::{ContentChange, Document, LostSync, Position, PositionEncoding, TextEdit};

const ENCODINGS: [PositionEncoding; 3] = [PositionEncoding::Utf8, PositionEncoding::Utf16, PositionEncoding::Utf32];

fn at(line: u32, character: u32) -> Position {
    Position::new(line, character)
}

fn edit(start: (u32, u32), end: (u32, u32), text: &str) -> ContentChange {
    ContentChange { range: Some((at(start.0, start.1), at(end.0, end.1))), text: text.to_owned() }
}

fn whole(text: &str) -> ContentChange {
    ContentChange { range: None, text: text.to_owned() }
}

fn width(char: char, encoding: PositionEncoding) -> usize {
    match encoding {
        PositionEncoding::Utf8 => char.len_utf8(),
        PositionEncoding::Utf16 => char.len_utf16(),
        PositionEncoding::Utf32 => 1,
    }
}

/// Byte ranges of the lines, without their breaks.
fn model_lines(text: &str) -> Vec<(usize, usize)> {
    let (mut lines, mut start) = (Vec::new(), 0);
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((idx, byte)) = bytes.next() {
        if byte == b'\n' || byte == b'\r' {
            let crlf = byte == b'\r' && bytes.next_if(|(_, it)| *it == b'\n').is_some();
            lines.push((start, idx));
            start = idx + if crlf { 2 } else { 1 };
        }
    }
    lines.push((start, text.len()));
    lines
}

fn model_byte(text: &str, position: Position, encoding: PositionEncoding) -> Option<usize> {
    let lines = model_lines(text);
    let Some((start, end)) = lines.get(position.line as usize) else {
        return (position.line as usize == lines.len()).then_some(text.len());
    };
    let mut left = position.character as usize;
    for (idx, char) in text[*start..*end].char_indices() {
        if width(char, encoding) > left {
            return Some(start + idx);
        }
        left -= width(char, encoding);
    }
    Some(*end)
}

fn model_point(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..byte];
    (before.matches('\n').count(), byte - before.rfind('\n').map_or(0, |idx| idx + 1))
}

/// Applies an edit to the text as the tree would hear of it, checking every number in it.
#[track_caller]
fn replay(text: &mut String, edit: &TextEdit) {
    assert_eq!(edit.start_point, model_point(text, edit.start));
    assert_eq!(edit.old_end_point, model_point(text, edit.old_end));
    text.replace_range(edit.start..edit.old_end, &edit.new_text);
    assert_eq!(edit.new_end_point, model_point(text, edit.new_end()));
}

#[track_caller]
fn check(before: &str, changes: &[ContentChange], after: &str) -> Vec<TextEdit> {
    let mut document = Document::new(1, before);
    let edits = document.apply(2, changes, PositionEncoding::Utf16).expect("the edits fit");
    assert_eq!(document.rope.to_string(), after);
    assert_eq!(document.version, 2);
    let mut replayed = before.to_owned();
    edits.iter().for_each(|it| replay(&mut replayed, it));
    assert_eq!(replayed, after);
    edits
}

fn small_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-c ({;]{1,4}",
        2 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("\r".to_owned()),
        1 => prop::sample::select(vec!["é", "漢", "😀", "e\u{301}"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|it| it.concat())
}

fn place() -> impl Strategy<Value = (u32, u32)> {
    (0..14u32, prop_oneof![0..10u32, Just(u32::MAX)])
}

proptest! {
    #[test]
    fn random_edits_equal_the_model(
        start in small_text(),
        edits in prop::collection::vec((place(), place(), small_text(), prop::bool::weighted(0.1)), 1..20),
        encoding in prop::sample::select(&ENCODINGS[..]),
    ) {
        let mut document = Document::new(0, &start);
        let mut text = start;
        for (version, (from, to, new, is_whole)) in edits.into_iter().enumerate() {
            let (from, to) = (from.min(to), from.max(to));
            let change = if is_whole { whole(&new) } else { edit(from, to, &new) };
            let mut expected = text.clone();
            let from_byte = model_byte(&text, at(from.0, from.1), encoding);
            let to_byte = model_byte(&text, at(to.0, to.1), encoding).or((from_byte == Some(0)).then_some(text.len()));
            let fits = match (is_whole, from_byte, to_byte) {
                (true, ..) => { expected = new; true }
                (false, Some(from), Some(to)) => { expected.replace_range(from..to, &new); true }
                _ => false,
            };
            if !fits {
                let mut lost = document.clone();
                let refused = lost.apply(version as i32, &[change], encoding);
                prop_assert!(matches!(refused, Err(LostSync::OutsideText { .. })), "{refused:?}");
                prop_assert_eq!(lost.rope.to_string(), text.clone());
                continue;
            }
            let edits = document.apply(version as i32, &[change], encoding).expect("fits");
            for it in &edits {
                replay(&mut text, it);
            }
            prop_assert_eq!(&text, &expected);
            prop_assert_eq!(document.rope.to_string(), expected);
            prop_assert_eq!(document.len_lines(), model_lines(&text).len());
            prop_assert_eq!(document.lines(), &Lines::of(&document.rope));
        }
    }

    #[test]
    fn places_and_bytes_are_two_ways_to_say_the_same(text in small_text(), encoding in prop::sample::select(&ENCODINGS[..])) {
        let document = Document::new(0, &text);
        for (idx, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let position = document.position(idx, encoding);
            let inside_crlf = text[..idx].ends_with('\r') && text[idx..].starts_with('\n');
            let expected = if inside_crlf { idx - 1 } else { idx };
            prop_assert_eq!(document.byte(position, encoding), Some(expected));
            prop_assert_eq!(model_byte(&text, position, encoding), Some(expected));
            prop_assert_eq!(document.point(idx), model_point(&text, idx));
        }
    }

    #[test]
    fn undoing_every_edit_gives_the_start_again(start in small_text(), texts in prop::collection::vec(small_text(), 1..6)) {
        let mut document = Document::new(0, &start);
        let mut undo = Vec::new();
        for text in &texts {
            let before = document.rope.to_string();
            for it in document.apply(0, &[whole(text)], PositionEncoding::Utf8).expect("whole texts fit") {
                undo.push((it.clone(), before[it.start..it.old_end].to_owned()));
            }
        }
        let mut text = document.rope.to_string();
        for (it, old) in undo.iter().rev() {
            text.replace_range(it.start..it.new_end(), old);
        }
        prop_assert_eq!(text, start);
    }

    #[test]
    fn a_whole_text_is_cut_down_to_what_differs(left in small_text(), old in small_text(), new in small_text(), right in small_text()) {
        let before = format!("{left}{old}{right}");
        let after = format!("{left}{new}{right}");
        let edits = check(&before, &[whole(&after)], &after);
        let touched = edits.first().map_or(0, |it| it.old_end - it.start);
        // A character that shares bytes and a line break cut in two may each cost one more.
        prop_assert!(touched <= old.len() + 2, "{edits:?}");
    }
}

#[test]
fn a_typed_character_is_one_small_edit() {
    let edits = check("let n = 1\n", &[edit((0, 9), (0, 9), "2")], "let n = 12\n");
    assert_eq!(
        edits,
        [TextEdit {
            start: 9,
            old_end: 9,
            new_text: "2".into(),
            start_point: (0, 9),
            old_end_point: (0, 9),
            new_end_point: (0, 10)
        }]
    );
}

#[test]
fn changes_apply_to_the_result_of_the_one_before() {
    check("abc", &[edit((0, 0), (0, 0), "\n"), edit((1, 3), (1, 3), "d"), edit((0, 0), (1, 0), "")], "abcd");
}

#[test]
fn full_text_from_a_client_that_was_told_incremental_is_one_word() {
    let edits = check(
        "function a() {\n  return 1;\n}\n",
        &[whole("function a() {\n  return 42;\n}\n")],
        "function a() {\n  return 42;\n}\n",
    );
    assert_eq!(edits.len(), 1);
    assert_eq!((edits[0].start, edits[0].old_end, edits[0].new_text.as_str()), (24, 25, "42"));
}

#[test]
fn the_same_text_again_is_no_edit() {
    assert_eq!(check("a\r\nb", &[whole("a\r\nb")], "a\r\nb"), []);
    assert_eq!(check("abc", &[edit((0, 1), (0, 2), "b"), edit((0, 2), (0, 2), "")], "abc"), []);
}

#[test]
fn a_replaced_line_break_is_not_cut_in_two() {
    let edits = check("a\r\nb", &[whole("a\rb")], "a\rb");
    assert_eq!((edits[0].start, edits[0].old_end, edits[0].new_text.as_str()), (1, 3, "\r"));
    let edits = check("a\nb", &[whole("a\r\nb")], "a\r\nb");
    assert_eq!((edits[0].start, edits[0].old_end, edits[0].new_text.as_str()), (1, 2, "\r\n"));
}

#[test]
fn characters_that_share_bytes_are_replaced_whole() {
    let edits = check("é😀", &[whole("è😁")], "è😁");
    assert_eq!((edits[0].start, edits[0].old_end), (0, 6));
}

#[test]
fn astral_characters_are_two_units_for_most_editors() {
    check("😀b", &[edit((0, 2), (0, 3), "c")], "😀c");
    // A place inside the pair means before it.
    check("😀b", &[edit((0, 1), (0, 2), "")], "b");
}

#[test]
fn past_the_end_of_a_line_is_its_end_before_the_break() {
    check("ab\r\ncd\rx", &[edit((0, 99), (0, 99), "!")], "ab!\r\ncd\rx");
    check("ab\r\ncd\rx", &[edit((1, 99), (1, 99), "!")], "ab\r\ncd!\rx");
    check("ab", &[edit((0, 99), (0, u32::MAX), "!")], "ab!");
}

#[test]
fn a_deletion_may_end_at_the_line_after_the_last() {
    check("a\nb\n", &[edit((1, 0), (3, 0), "")], "a\n");
    check("a\nb", &[edit((0, 1), (2, 0), "")], "a");
}

#[test]
fn everything_may_be_replaced_by_a_range_that_is_much_too_long() {
    check("a\nb\n", &[edit((0, 0), (u32::MAX, u32::MAX), "c")], "c");
}

#[test]
fn only_line_breaks_of_the_lsp_break_lines() {
    for text in ["a\u{b}b", "a\u{c}b", "a\u{85}b", "a\u{2028}b", "a\u{2029}b"] {
        assert_eq!(Document::new(0, text).len_lines(), 1, "{text:?}");
    }
    assert_eq!(Document::new(0, "a\rb\r\nc\n").len_lines(), 4);
}

#[test]
fn an_edit_outside_loses_sync_and_keeps_the_text() {
    let mut document = Document::new(1, "a\nb");
    let changes = [edit((0, 0), (0, 0), "x"), edit((3, 0), (3, 1), "y")];
    let lost = document.apply(2, &changes, PositionEncoding::Utf16).unwrap_err();
    assert_eq!(lost, LostSync::OutsideText { line: 3, lines: 2 });
    assert_eq!(lost.to_string(), "the edit at line 3 is outside the document, which has 2 lines");
    assert_eq!((document.rope.to_string().as_str(), document.version, document.in_sync()), ("a\nb", 1, false));

    let later = document.apply(3, &[edit((0, 0), (0, 0), "x")], PositionEncoding::Utf16);
    assert_eq!(later, Err(LostSync::Earlier));

    let edits = document.apply(4, &[edit((9, 0), (9, 0), "x"), whole("a\nc")], PositionEncoding::Utf16).unwrap();
    assert_eq!((edits.len(), edits[0].start, document.in_sync(), document.version), (1, 2, true, 4));
}

#[test]
fn a_change_that_could_not_be_read_loses_sync() {
    let mut document = Document::new(1, "");
    let lost = document.apply(2, &[ContentChange::unreadable()], PositionEncoding::Utf16);
    assert!(matches!(lost, Err(LostSync::OutsideText { .. })) && !document.in_sync());
}

#[test]
fn versions_may_jump_and_repeat_but_not_go_back() {
    let mut document = Document::new(3, "");
    document.apply(9, &[edit((0, 0), (0, 0), "a")], PositionEncoding::Utf16).unwrap();
    document.apply(9, &[edit((0, 1), (0, 1), "b")], PositionEncoding::Utf16).unwrap();
    let back = document.apply(8, &[edit((0, 2), (0, 2), "c")], PositionEncoding::Utf16);
    assert_eq!(back, Err(LostSync::VersionWentBack { current: 9, received: 8 }));
    assert_eq!(document.rope.to_string(), "ab");
    document.apply(1, &[whole("abc")], PositionEncoding::Utf16).unwrap();
    assert_eq!((document.version, document.in_sync()), (1, true));
}

#[test]
fn a_range_that_ends_before_it_starts_loses_sync() {
    let lost = Document::new(0, "abc").apply(1, &[edit((0, 2), (0, 1), "")], PositionEncoding::Utf16);
    assert_eq!(lost, Err(LostSync::Reversed));
}
