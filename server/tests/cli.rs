//! The command line as a user meets it: what is printed where, and with which exit code. What the commands do is tested
//! where they are.

use std::path::Path;
use std::process::{Command, Stdio};

struct Answer {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn capuchin(args: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Answer {
    let output = Command::new(env!("CARGO_BIN_EXE_capuchin"))
        .args(args)
        .current_dir(folder)
        .env_remove("CAPUCHIN_LOG")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the binary was built with this test");
    Answer {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Fails with exactly this sentence on stderr, and nothing on stdout.
#[track_caller]
fn check_failure(args: &[&str], folder: &Path, sentence: &str) {
    let answer = capuchin(args, folder, &[]);
    assert_eq!(answer.stderr.trim_end(), format!("capuchin: {sentence}"), "{args:?}");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(1), ""), "{args:?}");
}

#[test]
fn help_shows_commands_examples_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let answer = capuchin(&["--help"], folder.path(), &[]);
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""));
    for part in ["lsp", "serve", "diff", "demo", "completions", "Examples:", "Exit codes:", "CAPUCHIN_LOG", "NO_COLOR"]
    {
        assert!(answer.stdout.contains(part), "{part} is missing in\n{}", answer.stdout);
    }
    for command in ["serve", "diff", "demo", "completions"] {
        let answer = capuchin(&[command, "--help"], folder.path(), &[]);
        assert!(answer.stdout.contains("Examples:"), "{command}:\n{}", answer.stdout);
    }
}

#[test]
fn version_is_name_and_number() {
    let folder = tempfile::tempdir().unwrap();
    for flag in ["--version", "-V"] {
        let answer = capuchin(&[flag], folder.path(), &[]);
        assert_eq!(answer.stdout, format!("capuchin {}\n", env!("CARGO_PKG_VERSION")));
        assert_eq!(answer.code, Some(0));
    }
}

#[test]
fn a_wrong_command_line_exits_with_2_and_helps() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["serv"][..], &["serve", "--prot", "1"], &["--stdio", "serve"], &[]] {
        let answer = capuchin(args, folder.path(), &[]);
        assert_eq!(answer.code, Some(2), "{args:?}");
        assert_eq!(answer.stdout, "", "{args:?}");
        assert!(answer.stderr.contains("Usage:") || answer.stderr.contains("similar"), "{args:?}: {}", answer.stderr);
    }
}

#[test]
fn completions_name_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let answer = capuchin(&["completions", shell], folder.path(), &[]);
        assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""), "{shell}");
        for command in ["lsp", "serve", "diff", "demo"] {
            assert!(answer.stdout.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn an_unusable_root_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file.txt"), "").unwrap();
    check_failure(&["serve", "nowhere"], folder.path(), "the folder 'nowhere' does not exist");
    check_failure(&["serve", "file.txt"], folder.path(), "'file.txt' is a file, not a folder");
}

#[cfg(unix)]
#[test]
fn an_unreadable_root_is_one_sentence() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    // An administrator may read everything, so there is nothing to see.
    if std::fs::read_dir(&closed).is_err() {
        let sentence = "the folder 'closed' cannot be read: Permission denied (os error 13)";
        check_failure(&["serve", "closed"], folder.path(), sentence);
    }
}

#[test]
fn an_unusable_file_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |name: &str| folder.path().join(name);
    std::fs::write(in_folder("good.js"), "let a = 1;\n").unwrap();
    std::fs::write(in_folder("latin1.js"), b"// gr\xfc\xdfe\n").unwrap();
    std::fs::create_dir(in_folder("folder")).unwrap();
    for (old, new, sentence) in [
        ("nowhere.js", "good.js", "the file 'nowhere.js' does not exist"),
        ("good.js", "nowhere.js", "the file 'nowhere.js' does not exist"),
        ("good.js", "folder", "'folder' is a folder, not a file"),
        ("latin1.js", "good.js", "the file 'latin1.js' is not UTF-8 text (at byte 5)"),
    ] {
        check_failure(&["diff", old, new], folder.path(), sentence);
    }
}

#[test]
fn a_log_file_that_cannot_be_written_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let answer = capuchin(&["serve", "nowhere", "--log-file", "no/such/folder.log"], folder.path(), &[]);
    assert_eq!(answer.code, Some(1));
    assert!(
        answer.stderr.starts_with("capuchin: the log file 'no/such/folder.log' cannot be written: "),
        "{}",
        answer.stderr
    );
}

#[test]
fn logs_go_to_stderr_or_to_the_file_by_level() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = capuchin(&["serve", "nowhere"], folder.path(), &[]);
    assert!(!quiet.stderr.contains("DEBUG"), "{}", quiet.stderr);

    let by_flag = capuchin(&["serve", "nowhere", "--log-level", "debug"], folder.path(), &[("CAPUCHIN_LOG", "error")]);
    assert!(by_flag.stderr.contains("DEBUG"), "{}", by_flag.stderr);
    assert!(!by_flag.stderr.contains('\u{1b}'), "no colours where there is no terminal: {}", by_flag.stderr);

    let by_variable = capuchin(&["serve", "nowhere"], folder.path(), &[("CAPUCHIN_LOG", "debug")]);
    assert!(by_variable.stderr.contains("DEBUG"), "{}", by_variable.stderr);

    let ignored = capuchin(&["serve", "nowhere"], folder.path(), &[("CAPUCHIN_LOG", "capuchin=loud")]);
    assert!(ignored.stderr.contains("CAPUCHIN_LOG is not understood"), "{}", ignored.stderr);

    for _ in 0..2 {
        let to_file =
            capuchin(&["--log-level", "debug", "--log-file", "it.log", "serve", "nowhere"], folder.path(), &[]);
        assert_eq!(to_file.stderr.trim_end(), "capuchin: the folder 'nowhere' does not exist");
    }
    let log = std::fs::read_to_string(folder.path().join("it.log")).unwrap();
    assert_eq!(log.matches("DEBUG").count(), 2, "appended, not replaced: {log}");
}
