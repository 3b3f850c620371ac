#include "sandbox/user.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "sandbox/init/wire.h"

namespace kiln::sandbox {

namespace {

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || ec != std::errc() || end != text.data() + text.size() || value == UINT32_MAX) return {};
  return value;
}

struct PasswdLine {
  std::string name, home;
  std::uint32_t uid, gid;
};

std::optional<PasswdLine> find_user(std::string_view user, std::string_view passwd) {
  const auto number = number_of(user);
  for (const std::string& line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 6) continue;
    const auto uid = number_of(fields[2]), gid = number_of(fields[3]);
    if (!uid || !gid) continue;
    if (fields[0] == user || (number && *number == *uid)) return PasswdLine{fields[0], fields[5], *uid, *gid};
  }
  return {};
}

Result<std::uint32_t> find_group(std::string_view name, std::string_view group) {
  for (const std::string& line : split(group, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 3 || fields[0] != name) continue;
    if (const auto gid = number_of(fields[2])) return *gid;
  }
  if (const auto gid = number_of(name)) return *gid;
  return error(Errc::not_found, "group {} is not in the image's /etc/group", name);
}

std::vector<std::uint32_t> groups_of(std::string_view name, std::string_view group) {
  std::vector<std::uint32_t> all;
  for (const std::string& line : split(group, '\n')) {
    const auto fields = split(line, ':');
    const auto gid = fields.size() < 4 ? std::nullopt : number_of(fields[2]);
    if (!gid) continue;
    const auto members = split(fields[3], ',');
    if (std::find(members.begin(), members.end(), name) != members.end()) all.push_back(*gid);
  }
  return all;
}

}  // namespace

Result<Account> find_account(std::string_view user, std::string_view passwd, std::string_view group) {
  const std::size_t colon = user.find(':');
  const std::string_view name = user.substr(0, colon);
  Account account;
  const auto line = find_user(name.empty() ? "0" : name, passwd);
  if (line) {
    account = {.uid = line->uid, .gid = line->gid, .groups = groups_of(line->name, group), .home = line->home};
  } else if (const auto uid = number_of(name)) {
    account.uid = *uid;
  } else if (!name.empty()) {
    return error(Errc::not_found, "user {} is not in the image's /etc/passwd", name);
  }
  if (account.uid == 0 && !line) account.home = "/root";
  if (colon != std::string_view::npos) {
    account.gid = TRY(find_group(user.substr(colon + 1), group));
    account.groups.clear();  // as in Docker: a group that is named stands alone
  }
  account.groups.push_back(account.gid);
  std::sort(account.groups.begin(), account.groups.end());
  account.groups.erase(std::unique(account.groups.begin(), account.groups.end()), account.groups.end());
  if (account.groups.size() > wire::kMaxGroups) return error(Errc::corrupt, "user {} is in too many groups", name);
  return account;
}

}  // namespace kiln::sandbox
