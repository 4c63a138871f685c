//! The tutorials of `docs/plugins`, done as a reader does them: every command is run, every file is written.

use crate::support::aiperf;
use std::fs;
use std::path::Path;
use std::process::Command;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plugins");

/// A fenced block: its language, the file that it is if it is one, and its text.
struct Block<'a> {
    language: &'a str,
    file: Option<&'a str>,
    text: String,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(head) = line.strip_prefix("```") {
            let mut words = head.split_whitespace();
            let language = words.next().unwrap_or_default();
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block { language, file: words.next(), text: text.join("\n") + "\n" });
        }
    }
    blocks
}

/// Puts a new project where the one of the page before was: what was compiled for one serves the next then, and compiling
/// the standard library for WebAssembly takes a minute.
const SAME_PLACE: &str = "
aiperf() {
    command aiperf \"$@\"
    if [ \"$1 $2\" = 'plugin new' ]; then
        name=${*: -1}
        rm -rf ../project
        mv \"$name\" ../project
        ln -s ../project \"$name\"
    fi
}
";

/// The page as a script: a block with a file is written where the commands before it have gone.
fn script(page: &str) -> String {
    let commands =
        blocks(page).into_iter().filter_map(|Block { language, file, text }| match (language, file) {
            (_, Some(file)) => Some(format!("cat > {file} <<'END OF FILE'\n{text}END OF FILE\n")),
            ("bash", None) => Some(text),
            _ => None,
        });
    format!("set -euP\n{SAME_PLACE}{}", commands.collect::<String>())
}

/// In one test, so that the standard library is compiled once for all of them.
#[test]
fn every_command_of_the_tutorials_runs() {
    if !crate::plugin_projects::has_compiler() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let program = aiperf();
    let bin = Path::new(program.get_program()).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for page in ["objective", "pareto", "trend", "endpoint"] {
        let text = fs::read_to_string(format!("{DOCS}/{page}.md")).unwrap();
        let folder = place.path().join(page);
        fs::create_dir(&folder).unwrap();
        // `cd` shall follow the link, so that the project is the current directory by its own name.
        let done = Command::new("bash")
            .args(["-c", &script(&text)])
            .current_dir(&folder)
            .env("PATH", &path)
            .env("CARGO_TARGET_DIR", place.path().join("target"))
            .env("AIPERF_PLUGIN_DIR", "")
            .env_remove("OPENAI_API_KEY")
            .output()
            .unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{page}:\n{stdout}\n{stderr}");
        assert!(stdout.contains(" passed, 0 failed\n"), "{page}: {stdout}");
    }
}
