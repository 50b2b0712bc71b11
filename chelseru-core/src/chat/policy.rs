//! Who may do what in a room: the one place where it is decided, for the routes and the sockets.
//!
//! Who is no member, or is banned, has no [`Standing`] and is told that there is no such room. Everyone
//! else, in a group:
//!
//! | verb | needs | while closed or on hold |
//! | --- | --- | --- |
//! | read, search, mark as read, pin, mute, hide for oneself | being a member | yes |
//! | leave | being a member; the owner only when alone, which deletes the group | yes |
//! | write, edit and delete one's own, tell that one is typing | 1 | no |
//! | delete others' messages | 3 | no |
//! | add a member | 2 | no |
//! | kick a member | 3; an admin 3 and 7 | yes |
//! | ban a user | 4; an admin 4 and 7 | yes |
//! | see bans, lift one | 4 | yes |
//! | give codes | 5, and the codes that are given | no |
//! | take codes | 6, and the codes that are taken; from an admin also 7 | no |
//! | close, put on hold | 8 | yes |
//! | reopen | 9 | yes |
//! | change name and description | 10 | no |
//! | change the picture | 11 | no |
//! | delete the group | 12 | yes |
//! | hand the group over | being the owner | yes |
//!
//! - The owner has every code, whatever is stored; the room's status binds the owner as well.
//! - Code 0, read only, beats all others: who has it may do the first two lines alone. Setting it takes
//!   every code that the member has, and removing it gives them all back, by the rules for that.
//! - An admin is who has any code from 2 on, code 0 or not.
//! - Nobody kicks or bans the owner, or changes the owner's codes; nobody kicks or bans themselves or
//!   changes their own codes.
//! - In a room for two the first three lines hold, and nothing else is allowed to anybody.

use super::{ChatError, Membership, Permission, Permissions, Room, RoomKind, RoomStatus};
use crate::user::UserId;

/// What a member is to a room, as far as it matters for what that one may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) kind: RoomKind,
    pub(crate) status: RoomStatus,
    pub(crate) is_owner: bool,
    pub(crate) permissions: Permissions,
}

/// Something that a member wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Also search, mark as read, pin, mute, hide for oneself.
    Read,
    /// `is_last` if no other member is left.
    Leave {
        is_last: bool,
    },
    /// Also edit and delete one's own messages, and tell that one is typing.
    Write,
    DeleteOfOthers,
    AddMember,
    Kick(Target),
    Ban(Target),
    /// See bans, or lift one.
    Unban,
    /// Change somebody's codes from what they are to these.
    Permit(Target, Permissions),
    Close,
    Reopen,
    Rename,
    UpdateAvatar,
    Delete,
    HandOver(Target),
}

/// What the one to whom something is done is to the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Oneself,
    Owner,
    Member(Permissions),
    /// No member, or banned.
    Stranger,
}

impl Target {
    /// What `other` is for `user`.
    pub(crate) fn of(
        user: UserId,
        other: UserId,
        room: &Room,
        membership: Option<&Membership>,
    ) -> Self {
        match membership {
            _ if user == other => Self::Oneself,
            Some(membership) if membership.banned_at.is_none() => {
                if room.owner == Some(other) {
                    Self::Owner
                } else {
                    Self::Member(membership.permissions)
                }
            }
            _ => Self::Stranger,
        }
    }
}

impl Standing {
    /// The standing of a member; others have none.
    pub(crate) fn of(room: &Room, membership: Option<&Membership>) -> Result<Self, ChatError> {
        let membership = membership
            .filter(|membership| membership.banned_at.is_none())
            .ok_or(ChatError::NoSuchRoom)?;
        Ok(Self {
            kind: room.kind,
            status: room.status,
            is_owner: room.kind == RoomKind::Group && room.owner == Some(membership.user),
            permissions: membership.permissions,
        })
    }

    /// Whether this member may do that now.
    pub(crate) fn may(self, verb: Verb) -> Result<(), ChatError> {
        self.has_right(verb)?;
        match self.status {
            _ if goes_on_while_closed(verb) => Ok(()),
            RoomStatus::Open => Ok(()),
            RoomStatus::Closed => Err(ChatError::RoomClosed),
            RoomStatus::Hold => Err(ChatError::RoomOnHold),
        }
    }

    fn has_right(self, verb: Verb) -> Result<(), ChatError> {
        if self.kind == RoomKind::Pair
            && !matches!(verb, Verb::Read | Verb::Leave { .. } | Verb::Write)
        {
            return Err(ChatError::NotPermitted);
        }
        let has = |code| allowed_if(self.has(code));
        match verb {
            Verb::Leave { is_last } if self.is_owner && !is_last => {
                Err(ChatError::OwnerMustHandOver)
            }
            Verb::Read | Verb::Leave { .. } => Ok(()),
            Verb::Write => has(Permission::Member),
            Verb::DeleteOfOthers => has(Permission::KickMember),
            Verb::AddMember => has(Permission::AddMember),
            Verb::Kick(target) => self.may_remove(Permission::KickMember, target, false),
            Verb::Ban(target) => self.may_remove(Permission::BanMember, target, true),
            Verb::Unban => has(Permission::BanMember),
            Verb::Permit(target, codes) => self.may_permit(target, codes),
            Verb::Close => has(Permission::Close),
            Verb::Reopen => has(Permission::Reopen),
            Verb::Rename => has(Permission::Rename),
            Verb::UpdateAvatar => has(Permission::UpdateAvatar),
            Verb::Delete => has(Permission::Delete),
            Verb::HandOver(target) => {
                allowed_if(self.is_owner)?;
                match target {
                    Target::Member(_) => Ok(()),
                    Target::Stranger => Err(ChatError::NoSuchMember),
                    Target::Oneself | Target::Owner => Err(ChatError::NotPermitted),
                }
            }
        }
    }

    fn has(self, code: Permission) -> bool {
        self.codes().has(code)
    }

    /// What the codes come to.
    fn codes(self) -> Permissions {
        if self.is_owner {
            Permissions::EVERYTHING
        } else {
            in_force(self.permissions)
        }
    }

    fn may_remove(
        self,
        code: Permission,
        target: Target,
        strangers_too: bool,
    ) -> Result<(), ChatError> {
        allowed_if(self.has(code))?;
        match target {
            Target::Member(codes) => {
                allowed_if(!is_admin(codes) || self.has(Permission::KickAdmin))
            }
            Target::Stranger if strangers_too => Ok(()),
            Target::Stranger => Err(ChatError::NoSuchMember),
            Target::Oneself | Target::Owner => Err(ChatError::NotPermitted),
        }
    }

    fn may_permit(self, target: Target, after: Permissions) -> Result<(), ChatError> {
        let may_give = self.has(Permission::GiveAccess);
        let may_take = self.has(Permission::TakeAccess);
        allowed_if(may_give || may_take)?;
        let before = match target {
            Target::Member(codes) => codes,
            Target::Stranger => return Err(ChatError::NoSuchMember),
            Target::Oneself | Target::Owner => return Err(ChatError::NotPermitted),
        };
        // What is stored counts as well as what it comes to, so that nobody prepares, behind a code 0,
        // what they could not give.
        let gains = |from, to| difference(to, from).union(difference(in_force(to), in_force(from)));
        let (given, taken) = (gains(before, after), gains(after, before));
        let (was_read_only, is_read_only) = (
            before.has(Permission::ReadOnly),
            after.has(Permission::ReadOnly),
        );
        let must_give = given != Permissions::NONE || (was_read_only && !is_read_only);
        let must_take = taken != Permissions::NONE || (is_read_only && !was_read_only);
        allowed_if(!must_give || (may_give && self.codes().contains(given)))?;
        allowed_if(!must_take || (may_take && self.codes().contains(taken)))?;
        allowed_if(!must_take || !is_admin(before) || self.has(Permission::KickAdmin))
    }
}

fn goes_on_while_closed(verb: Verb) -> bool {
    match verb {
        Verb::Read
        | Verb::Leave { .. }
        | Verb::Kick(_)
        | Verb::Ban(_)
        | Verb::Unban
        | Verb::Close
        | Verb::Reopen
        | Verb::Delete
        | Verb::HandOver(_) => true,
        Verb::Write
        | Verb::DeleteOfOthers
        | Verb::AddMember
        | Verb::Permit(..)
        | Verb::Rename
        | Verb::UpdateAvatar => false,
    }
}

fn allowed_if(is_allowed: bool) -> Result<(), ChatError> {
    if is_allowed {
        Ok(())
    } else {
        Err(ChatError::NotPermitted)
    }
}

/// Nothing, where one may only read.
fn in_force(codes: Permissions) -> Permissions {
    if codes.has(Permission::ReadOnly) {
        Permissions::NONE
    } else {
        codes
    }
}

/// The codes of one that the other has not, code 0 aside.
fn difference(one: Permissions, other: Permissions) -> Permissions {
    Permissions::from_bits(one.bits() & !other.bits()).without(Permission::ReadOnly)
}

fn is_admin(codes: Permissions) -> bool {
    codes
        .without(Permission::ReadOnly)
        .without(Permission::Member)
        != Permissions::NONE
}

#[cfg(test)]
mod tests;
