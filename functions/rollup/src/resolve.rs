//! Finds the people that an account's event is for: everyone of the account who has the first of the personas that
//! anyone there has, else the person in the event. They are passed to `score`, which alone writes profiles.

use crate::deps::Deps;
use crate::error::RollupError;
use crate::people;
use perennial_contracts::queue::{EventsPayload, WOKEN_AT_ONCE};
use perennial_domain::{AccountId, Entry, Member, PersonId};
use perennial_lambda_kit::queue::Delay;
use perennial_store::Consistency;

/// One event's request.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) to: Vec<String>,
    pub(crate) named: PersonId,
    pub(crate) entry: Entry,
}

/// Those who have the best persona seen so far.
struct Meant {
    asked: Asked,
    /// The rank of the persona found; the number of personas while nobody was found.
    rank: usize,
    people: Vec<PersonId>,
}

impl Meant {
    fn new(asked: Asked) -> Self {
        Self { rank: asked.to.len(), asked, people: Vec::new() }
    }

    fn see(&mut self, member: &Member) {
        let Some(rank) = self.asked.to.iter().position(|persona| member.personas.contains(persona)) else { return };
        if rank < self.rank {
            self.people.clear();
            self.rank = rank;
        }
        if rank == self.rank {
            self.people.push(member.person);
        }
    }

    fn people(mut self) -> (Entry, Vec<PersonId>) {
        if self.people.is_empty() {
            self.people.push(self.asked.named);
        }
        (self.asked.entry, self.people)
    }
}

/// Finds the people that these events of `account` are for, in one pass, and lets them enter; returns their number. A
/// repetition lets nobody enter twice: `score` recognizes each entry.
pub(crate) async fn resolve(deps: &Deps, account: &AccountId, asked: Vec<Asked>) -> Result<u64, RollupError> {
    let mut parts = vec![account.clone()];
    if let Some(stored) = deps.store.account_in_charge(account, Consistency::Strong).await? {
        parts.extend(deps.store.domains_of(&stored.account, Consistency::Strong).await?);
        parts[0] = stored.account.id;
    }
    let mut meant: Vec<Meant> = asked.into_iter().map(Meant::new).collect();
    people::each(deps, parts.iter(), |member| meant.iter_mut().for_each(|meant| meant.see(member))).await?;
    let (mut bodies, mut count) = (Vec::new(), 0);
    for (entry, people) in meant.into_iter().map(Meant::people) {
        count += people.len() as u64;
        for people in people.chunks(WOKEN_AT_ONCE) {
            let enter = EventsPayload::Enter { entry: entry.clone(), people: people.to_vec() };
            bodies.push(serde_json::to_string(&enter)?);
        }
    }
    deps.events.send(bodies, Delay::NONE).await.into_result()?;
    Ok(count)
}
