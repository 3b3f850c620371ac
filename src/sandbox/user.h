// Who a step runs as: "name", "185", "name:group" looked up in the text of the tree's passwd and group, as data.
// Private to the room.
#pragma once

#include "base/error.h"

namespace kiln::sandbox {

struct Account {
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> groups;  // supplementary, sorted, with gid
  std::string home = "/";
  bool operator==(const Account&) const = default;
};

/// user as in an image's configuration; empty is root. A name that is not there is Errc::not_found; a number needs no
/// entry. Malformed lines are skipped.
Result<Account> find_account(std::string_view user, std::string_view passwd, std::string_view group);

}  // namespace kiln::sandbox
