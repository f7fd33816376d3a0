//! `cargo xtask deploy-rules`: Prometheus' rules once more, as the Prometheus operator wants them.
//!
//! `deploy/prometheus/rules` is where they are written; kustomize can't read another folder's plain
//! files into a resource. A test holds both together (`xtask/tests/deploy/rules.rs`).

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::run;

const HEAD: &str = "\
# Written from deploy/prometheus/rules by `cargo xtask deploy-rules`: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ai-service
  labels:
    app.kubernetes.io/name: ai-service
spec:
  groups:
";

/// Writes `deploy/kubernetes/monitoring/prometheus-rule.yaml`.
///
/// # Errors
///
/// [`Error::Io`] when files can't be read or written.
pub fn run() -> Result<(), Error> {
    let deploy = run::root().join("deploy");
    let rules = deploy.join("prometheus/rules");
    let mut text = HEAD.to_owned();
    for path in files(&rules)? {
        let file =
            fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?;
        text.push_str(&groups(&file));
    }
    let path = deploy.join("kubernetes/monitoring/prometheus-rule.yaml");
    fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
    println!("wrote {}", path.display());
    Ok(())
}

/// The rule files, sorted.
fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let failed = || Error::io(format!("read {}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        paths.push(entry.map_err(failed())?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yml"));
    paths.sort();
    Ok(paths)
}

/// The lines below `groups:`, one step further in.
fn groups(file: &str) -> String {
    let lines = file.lines().skip_while(|line| *line != "groups:").skip(1);
    lines.fold(String::new(), |mut text, line| {
        let indent = if line.is_empty() { "" } else { "  " };
        // Writing to a string can't fail.
        let _ = writeln!(text, "{indent}{line}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_go_one_step_in_and_what_is_above_them_stays_behind() {
        let file = "# rules\ngroups:\n  - name: a\n    rules: []\n";
        assert_eq!(groups(file), "    - name: a\n      rules: []\n");
        assert_eq!(
            groups("groups:\n  - expr: |-\n      a\n\n      b\n"),
            "    - expr: |-\n        a\n\n        b\n"
        );
        assert_eq!(groups("nothing"), "");
    }
}
