//! What members may do: the package's thirteen codes.

use std::fmt;

/// One of the package's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Permission {
    /// 0: may read and nothing else, whatever other codes there are.
    ReadOnly = 0,
    /// 1: reads and writes.
    Member = 1,
    /// 2
    AddMember = 2,
    /// 3
    KickMember = 3,
    /// 4
    BanMember = 4,
    /// 5: gives others codes that the giver has.
    GiveAccess = 5,
    /// 6
    TakeAccess = 6,
    /// 7: with 3, 4 and 6, also against members that have any of the codes from 2 on.
    KickAdmin = 7,
    /// 8: closes the room or puts it on hold.
    Close = 8,
    /// 9
    Reopen = 9,
    /// 10: changes name and description.
    Rename = 10,
    /// 11
    UpdateAvatar = 11,
    /// 12
    Delete = 12,
}

impl Permission {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 13] = [
        Self::ReadOnly,
        Self::Member,
        Self::AddMember,
        Self::KickMember,
        Self::BanMember,
        Self::GiveAccess,
        Self::TakeAccess,
        Self::KickAdmin,
        Self::Close,
        Self::Reopen,
        Self::Rename,
        Self::UpdateAvatar,
        Self::Delete,
    ];

    /// The package's number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The permission of a number.
    pub fn from_code(code: i64) -> Option<Self> {
        let place = usize::try_from(code).ok()?;
        Self::ALL.get(place).copied()
    }
}

/// A set of codes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Permissions(u16);

impl Permissions {
    /// None.
    pub const NONE: Self = Self(0);

    /// What a new member has.
    pub const MEMBER: Self = Self(1 << Permission::Member as u8);

    /// All but [`Permission::ReadOnly`].
    pub const EVERYTHING: Self = Self(0b1_1111_1111_1110);

    /// The set that [`bits`](Self::bits) gave; unknown bits are left out.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0b1_1111_1111_1111)
    }

    /// Bit n stands for code n: how stores keep it.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether the code is in the set.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// Whether all codes of the other set are in this one.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With another code.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | (1 << permission as u8))
    }

    /// Without a code.
    #[must_use]
    pub const fn without(self, permission: Permission) -> Self {
        Self(self.0 & !(1 << permission as u8))
    }

    /// The codes of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The codes, in order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .into_iter()
            .filter(move |permission| self.has(*permission))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::NONE, Self::with)
    }
}
