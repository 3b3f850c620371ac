#include "template/version_constraint.h"

#include <array>
#include <charconv>

#include "base/text.h"

namespace kiln::tmpl {

namespace {

struct Version {
  std::array<std::uint32_t, 3> parts{};
  std::size_t given = 0;  // how many of them were written
  auto operator<=>(const Version& o) const { return parts <=> o.parts; }
  bool operator==(const Version& o) const { return parts == o.parts; }
};

Result<Version> parse_version(std::string_view text) {
  Version v;
  if (text.starts_with('v')) text.remove_prefix(1);
  const std::string plain(text.substr(0, text.find_first_of("-+")));  // pre-releases compare as their release
  for (const std::string& part : split(plain, '.')) {
    if (v.given == v.parts.size()) return error(Errc::bad_template, "{} is not a version", text);
    const auto [end, bad] = std::from_chars(part.data(), part.data() + part.size(), v.parts.at(v.given));
    if (bad != std::errc() || end != part.data() + part.size() || part.empty())
      return error(Errc::bad_template, "\"{}\" is not a version", text);
    ++v.given;
  }
  return v;
}

/// ~> 1.9 accepts 1.x from 1.9 on, ~> 1.9.2 accepts 1.9.x from 1.9.2 on.
bool meets_pessimistic(const Version& version, const Version& wanted) {
  for (std::size_t i = 0; i + 1 < wanted.given; ++i) {
    if (version.parts.at(i) != wanted.parts.at(i)) return false;
  }
  return version >= wanted;
}

}  // namespace

Result<bool> version_meets(std::string_view version, std::string_view constraints) {
  const Version have = TRY(parse_version(version));
  for (const std::string& one : split(constraints, ',')) {
    const std::string_view text = trim(one);
    const std::size_t sign_end = std::min(text.find_first_not_of("<>=!~"), text.size());
    const std::string_view sign = text.substr(0, sign_end);
    const Version wanted = TRY(parse_version(trim(text.substr(sign_end))));
    bool good = false;
    if (sign.empty() || sign == "=") {
      good = have == wanted;
    } else if (sign == "!=") {
      good = have != wanted;
    } else if (sign == ">") {
      good = have > wanted;
    } else if (sign == ">=") {
      good = have >= wanted;
    } else if (sign == "<") {
      good = have < wanted;
    } else if (sign == "<=") {
      good = have <= wanted;
    } else if (sign == "~>") {
      good = meets_pessimistic(have, wanted);
    } else {
      return error(Errc::bad_template, "\"{}\" is not one of = != > >= < <= ~>", sign);
    }
    if (!good) return false;
  }
  return true;
}

}  // namespace kiln::tmpl
