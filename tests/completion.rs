//! Completion of ids in a real shell.

use crate::harness::TestEnv;

/// What bash proposes for the last word of a line.
fn proposals(env: &TestEnv, line: &str) -> Vec<String> {
    let script = "source <(humctl completion bash --dynamic)
        COMP_WORDS=($LINE \"\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_TYPE=9
        _clap_complete_humctl humctl '' \"${COMP_WORDS[-2]}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let run = env.shell(script, &[("LINE", line)]).ok();
    run.stdout.lines().map(|word| word.trim_end().to_owned()).filter(|word| !word.starts_with('-')).collect()
}

#[test]
fn ids_are_proposed() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    env.run("create app other --skip-environment-creation").ok();
    env.run("create env staging --app shop --type staging").ok();
    env.run("create app theirs --org my-org").ok();
    for (line, expected) in [
        ("humctl get envs --app", vec!["other", "shop"]),
        ("humctl get app", vec!["other", "shop"]),
        ("humctl get app --org my-org", vec!["theirs"]),
        ("humctl delete env --app shop", vec!["development", "staging"]),
        ("humctl deploy env --app=shop", vec!["development", "staging"]),
        ("humctl get env-type", vec!["development", "production", "staging"]),
        ("humctl score deploy --app shop --env", vec!["development", "staging"]),
        // Whatever goes wrong proposes nothing.
        ("humctl delete env --app nope", vec![]),
        ("humctl get app --api-prefix http://127.0.0.1:1", vec![]),
    ] {
        assert_eq!(proposals(&env, line), expected, "{line}");
    }
    assert!(proposals(&env, "humctl get").contains(&"active-resource".to_owned()));
    assert!(proposals(&env, "humctl get def").contains(&"default-humanitec-route".to_owned()));
}

#[test]
fn every_shell_has_a_script() {
    let env = TestEnv::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = env.run(&format!("completion {shell} --dynamic")).ok().stdout;
        assert!(script.contains("HUMCTL_COMPLETE"), "{shell}: {script}");
    }
}
