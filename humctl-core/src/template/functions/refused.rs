//! Functions that are kept out, with the reason (spec/drivers.md §7.5).

const CLOCK: &str = "it reads the clock, and the same inputs have to give the same output";
const HOST: &str = "it reads the machine that renders, which is another one each time";
const NETWORK: &str = "it asks the network";
const CLUSTER: &str = "it asks the cluster, and none is at hand here";
const TEMPLATES: &str = "a template of a Resource Definition cannot run other templates than its own";
const CRYPTO: &str = "it makes a new key or salt each time; keep keys in a secret store";
const DATES: &str = "dates depend on the time zone of the machine that renders";
const MISSING: &str = "Sprig has it, humctl has not";

const REFUSED: &[(&str, &str)] = &[
    ("add1f", MISSING),
    ("addf", MISSING),
    ("ago", CLOCK),
    ("b32dec", MISSING),
    ("b32enc", MISSING),
    ("bcrypt", CRYPTO),
    ("buildCustomCert", CRYPTO),
    ("date", DATES),
    ("dateInZone", DATES),
    ("dateModify", DATES),
    ("date_in_zone", DATES),
    ("date_modify", DATES),
    ("decryptAES", CRYPTO),
    ("derivePassword", CRYPTO),
    ("divf", MISSING),
    ("duration", MISSING),
    ("encryptAES", CRYPTO),
    ("env", HOST),
    ("expandenv", HOST),
    ("genCA", CRYPTO),
    ("genCAWithKey", CRYPTO),
    ("genPrivateKey", CRYPTO),
    ("genSelfSignedCert", CRYPTO),
    ("genSelfSignedCertWithKey", CRYPTO),
    ("genSignedCert", CRYPTO),
    ("genSignedCertWithKey", CRYPTO),
    ("getHostByName", NETWORK),
    ("htmlDate", DATES),
    ("htmlDateInZone", DATES),
    ("htpasswd", CRYPTO),
    ("include", TEMPLATES),
    ("lookup", CLUSTER),
    ("mustDateModify", DATES),
    ("mustToDate", DATES),
    ("mulf", MISSING),
    ("must_date_modify", DATES),
    ("now", CLOCK),
    ("osBase", HOST),
    ("osClean", HOST),
    ("osDir", HOST),
    ("osExt", HOST),
    ("osIsAbs", HOST),
    ("subf", MISSING),
    ("toDate", DATES),
    ("tpl", TEMPLATES),
    ("unixEpoch", DATES),
    ("wrap", MISSING),
    ("wrapWith", MISSING),
];

/// Why a function is kept out; `None` for one that nobody knows.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, reason)| *reason)
}

#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    REFUSED.iter().map(|(name, _)| *name)
}
