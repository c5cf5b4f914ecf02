//! Rows of accounts: together or not at all, within limits, and gone when they must be.

use super::*;
use crate::testing::{behind, open};

fn key(account: u32, credential: u8) -> PasskeyRow {
    PasskeyRow {
        id: 0,
        account,
        credential: vec![credential; 16],
        key: vec![1; 77],
        name: "key".into(),
        signatures: 0,
        created: 5,
        used: 5,
    }
}

fn sign_in(account: u32, number: u8, started: Timestamp) -> SignInRow {
    SignInRow {
        digest: Digest([number; 32]),
        account,
        factor: "passkey".into(),
        started,
        seen: started,
        shown: started,
        address: "127.0.0.1".into(),
        agent: "Browser".into(),
    }
}

fn token(account: u32, number: u8) -> TokenRow {
    TokenRow {
        id: 0,
        digest: Digest([number; 32]),
        account,
        name: "ci".into(),
        role: "viewer".into(),
        scope: "/".into(),
        created: 1,
        expires: 9,
        used: 0,
    }
}

fn grant(account: u32, role: &str) -> GrantRow {
    GrantRow { account, role: role.into(), scope: "/".into(), at: 1, by: "first-run".into() }
}

#[test]
fn an_account_comes_with_its_key_or_not_at_all() {
    let (_folder, store) = open();
    let changes = [AccountChange::AddKey(key(0, 1)), AccountChange::Grant(grant(0, "admin"))];
    let id = store.add_account("anna", 7, &changes).unwrap();
    let tables = store.account_tables().unwrap();
    let row = AccountRow { id, name: "anna".into(), created: 7, ended: None };
    assert_eq!(tables.accounts, [row]);
    assert_eq!((tables.grants[0].account, tables.passkeys[0].account), (id, id));
    // The credential is taken: neither the account nor the grant is left behind.
    assert!(store.add_account("zoe", 8, &changes).is_err());
    assert_eq!(store.account_tables().unwrap(), tables);
    let error = store.add_account("anna", 8, &[]).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Limit);
    assert!(error.to_string().contains("called anna"), "{error}");
}

#[test]
fn everything_of_an_account_goes_with_it_and_its_number_is_not_used_again() {
    let (_folder, store) = open();
    let [anna, zoe] = ["anna", "zoe"].map(|name| store.add_account(name, 1, &[]).unwrap());
    let proposal = |account, proposer| ProposalRow {
        id: 0,
        account,
        role: "approver".into(),
        scope: "/".into(),
        proposer,
        at: 2,
    };
    let invitation = InvitationRow { digest: Digest([9; 32]), account: anna, expires: 9 };
    let changes = [
        AccountChange::Grant(grant(anna, "admin")),
        AccountChange::AddKey(key(anna, 1)),
        AccountChange::SignIn(sign_in(anna, 1, 3)),
        AccountChange::AddToken(token(anna, 1)),
        AccountChange::Invite(invitation),
        AccountChange::Propose(proposal(anna, zoe)),
        AccountChange::Propose(proposal(zoe, anna)),
        AccountChange::SignIn(sign_in(zoe, 2, 3)),
    ];
    store.change_accounts(&changes).unwrap();
    store.change_accounts(&[AccountChange::End { account: zoe + 1, at: 3 }]).unwrap();
    store.change_accounts(&[AccountChange::End { account: anna, at: 4 }]).unwrap();
    let tables = store.account_tables().unwrap();
    assert_eq!(tables.accounts[0].ended, Some(4));
    assert_eq!(tables.sign_ins, [sign_in(zoe, 2, 3)]);
    let left = (tables.grants.len(), tables.proposals.len(), tables.passkeys.len());
    assert_eq!((left, tables.tokens.len(), tables.invitations.len()), ((0, 0, 0), 0, 0));
    assert!(store.add_account("anna", 5, &[]).is_err(), "the journal knows another anna");
}

#[test]
fn what_changes_is_read_back() {
    let (_folder, store) = open();
    let anna = store.add_account("anna", 1, &[AccountChange::AddKey(key(0, 1))]).unwrap();
    let changes = [
        AccountChange::SignIn(sign_in(anna, 1, 3)),
        AccountChange::SignIn(SignInRow { seen: 8, shown: 7, ..sign_in(anna, 1, 3) }),
        AccountChange::UseKey { id: 1, signatures: 4, at: 6 },
        AccountChange::AddToken(token(anna, 1)),
        AccountChange::UseToken { id: 1, at: 8 },
        AccountChange::Grant(grant(anna, "viewer")),
        AccountChange::Grant(GrantRow { by: "again".into(), ..grant(anna, "viewer") }),
    ];
    store.change_accounts(&changes).unwrap();
    let tables = store.account_tables().unwrap();
    assert_eq!((tables.sign_ins[0].seen, tables.sign_ins[0].shown), (8, 7));
    assert_eq!((tables.passkeys[0].signatures, tables.passkeys[0].used), (4, 6));
    assert_eq!(tables.tokens, [TokenRow { id: 1, used: 8, ..token(anna, 1) }]);
    assert_eq!(tables.grants, [grant(anna, "viewer")], "the first grant stands");
    let (role, scope) = ("viewer".to_owned(), "/".to_owned());
    let changes = [
        AccountChange::SignOut(Digest([1; 32])),
        AccountChange::RemoveKey(1),
        AccountChange::RemoveToken(1),
        AccountChange::Revoke { account: anna, role, scope },
    ];
    store.change_accounts(&changes).unwrap();
    let accounts = store.account_tables().unwrap().accounts;
    assert_eq!(store.account_tables().unwrap(), AccountTables { accounts, ..Default::default() });
}

#[test]
fn limits_of_one_account_are_reached_and_cost_no_other() {
    let (_folder, store) = open();
    let [anna, zoe] = ["anna", "zoe"].map(|name| store.add_account(name, 1, &[]).unwrap());
    let many = |count: usize, one: &dyn Fn(u8) -> AccountChange| -> Vec<AccountChange> {
        (0..count).map(|number| one(number as u8)).collect()
    };
    let keys = |account: u32| move |number| AccountChange::AddKey(key(account, number));
    store.change_accounts(&many(PASSKEYS_MAX, &keys(anna))).unwrap();
    let error = store.change_accounts(&[AccountChange::AddKey(key(anna, 99))]).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Limit, "{error}");
    store.change_accounts(&[AccountChange::AddKey(key(zoe, 99))]).unwrap();
    let tokens = |account: u32| move |number| AccountChange::AddToken(token(account, number));
    store.change_accounts(&many(TOKENS_MAX, &tokens(anna))).unwrap();
    let error = store.change_accounts(&[AccountChange::AddToken(token(anna, 99))]).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Limit, "{error}");
    // What is over goes when the next one comes.
    let late = TokenRow { created: token(anna, 98).expires, ..token(anna, 98) };
    store.change_accounts(&[AccountChange::AddToken(token(zoe, 97))]).unwrap();
    store.change_accounts(&[AccountChange::AddToken(late)]).unwrap();
    let left = store.account_tables().unwrap().tokens;
    assert_eq!(left.iter().map(|row| row.account).collect::<Vec<_>>(), [zoe, anna]);
    let sign = |account: u32| {
        move |number| AccountChange::SignIn(sign_in(account, number, i64::from(number)))
    };
    store.change_accounts(&[AccountChange::SignIn(sign_in(zoe, 200, 1))]).unwrap();
    store.change_accounts(&many(SIGN_INS_MAX + 1, &sign(anna))).unwrap();
    let rows = store.account_tables().unwrap().sign_ins;
    assert_eq!(rows.len(), SIGN_INS_MAX + 1);
    assert!(!rows.contains(&sign_in(anna, 0, 0)), "the oldest one ended");
}

#[test]
fn there_are_no_more_accounts_than_the_limit() {
    let (_folder, store) = open();
    let sql = format!(
        "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {})
         INSERT INTO account (name, created, ended) SELECT 'a' || i, 1, 0 FROM n",
        ACCOUNTS_MAX - 1
    );
    behind(&store).execute(&sql, []).unwrap();
    store.add_account("last", 1, &[]).unwrap();
    let error = store.add_account("one-more", 1, &[]).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Limit, "{error}");
}

fn identity(account: u32, subject: &str) -> IdentityRow {
    let (issuer, subject) = ("https://id.example".into(), subject.into());
    IdentityRow { issuer, subject, account, created: 3, used: 0 }
}

#[test]
fn an_identity_is_that_of_one_account_until_it_is_removed() {
    let (_folder, store) = open();
    let [anna, zoe] = ["anna", "zoe"].map(|name| store.add_account(name, 1, &[]).unwrap());
    store.change_accounts(&[AccountChange::Identify(identity(anna, "s1"))]).unwrap();
    let stolen = store.change_accounts(&[AccountChange::Identify(identity(zoe, "s1"))]);
    assert_eq!(stolen.unwrap_err().kind(), StoreErrorKind::Limit);
    let used = IdentityRow { used: 9, created: 8, ..identity(anna, "s1") };
    store.change_accounts(&[AccountChange::Identify(used)]).unwrap();
    let tables = store.account_tables().unwrap();
    assert_eq!(tables.identities, [IdentityRow { used: 9, ..identity(anna, "s1") }]);
    let gone =
        AccountChange::Unidentify { issuer: "https://id.example".into(), subject: "s1".into() };
    store.change_accounts(&[gone, AccountChange::Identify(identity(zoe, "s1"))]).unwrap();
    assert_eq!(store.account_tables().unwrap().identities[0].account, zoe);
    for number in 1..IDENTITIES_MAX {
        let more = identity(zoe, &format!("n{number}"));
        store.change_accounts(&[AccountChange::Identify(more)]).unwrap();
    }
    assert!(store.change_accounts(&[AccountChange::Identify(identity(zoe, "more"))]).is_err());
    store.change_accounts(&[AccountChange::End { account: zoe, at: 9 }]).unwrap();
    assert_eq!(store.account_tables().unwrap().identities, []);
}

#[test]
fn new_recovery_codes_replace_all_of_the_old_ones_and_each_goes_when_it_is_used() {
    let (_folder, store) = open();
    let [anna, zoe] = ["anna", "zoe"].map(|name| store.add_account(name, 1, &[]).unwrap());
    let put = |account, numbers: &[u8]| {
        let digests = numbers.iter().map(|number| Digest([*number; 32])).collect();
        store.change_accounts(&[AccountChange::PutRecoveryCodes { account, digests, at: 4 }])
    };
    put(anna, &[1, 2]).unwrap();
    put(zoe, &[5]).unwrap();
    put(anna, &[3, 4]).unwrap();
    store.change_accounts(&[AccountChange::UseRecoveryCode(Digest([3; 32]))]).unwrap();
    let left = store.account_tables().unwrap().recovery_codes;
    let left: Vec<(u8, u32)> = left.iter().map(|row| (row.digest.0[0], row.account)).collect();
    assert_eq!(left, [(4, anna), (5, zoe)]);
    let many: Vec<u8> = (100..=100 + RECOVERY_CODES_MAX as u8).collect();
    assert_eq!(put(anna, &many).unwrap_err().kind(), StoreErrorKind::Limit);
    assert_eq!(store.account_tables().unwrap().recovery_codes.len(), 2, "nothing was lost");
    put(anna, &many[1..]).unwrap();
    store.change_accounts(&[AccountChange::End { account: anna, at: 9 }]).unwrap();
    assert_eq!(store.account_tables().unwrap().recovery_codes.len(), 1);
}

#[test]
fn an_account_has_one_authenticator_that_ends_with_it_and_shows_its_secret_to_nobody() {
    let (_folder, store) = open();
    let [anna, zoe] = ["anna", "zoe"].map(|name| store.add_account(name, 1, &[]).unwrap());
    let row = |account, byte: u8| {
        let (secret, created) = ([byte; 20], 4);
        AuthenticatorRow { account, secret, created, step: 60_000_000, wrong: 2 }
    };
    let put = |row| store.change_accounts(&[AccountChange::PutAuthenticator(row)]).unwrap();
    let all = || store.account_tables().unwrap().authenticators;
    for row in [row(anna, 201), row(anna, 202), row(zoe, 203)] {
        put(row);
    }
    assert_eq!(all(), [row(anna, 202), row(zoe, 203)]);
    let shown = format!("{:?}", store.account_tables().unwrap());
    assert!(shown.contains("60000000") && !shown.contains("202"), "{shown}");
    store.change_accounts(&[AccountChange::RemoveAuthenticator(anna)]).unwrap();
    assert_eq!(all(), [row(zoe, 203)]);
    store.change_accounts(&[AccountChange::End { account: zoe, at: 9 }]).unwrap();
    assert_eq!(all(), []);
}
