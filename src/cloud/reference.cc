#include "cloud/reference.h"

#include <algorithm>

#include "base/text.h"

namespace kiln::cloud {

namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxTag = 128;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_word(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Letters and digits, with ".", "_", "__" or any number of "-" between them.
bool is_component(std::string_view text) {
  if (text.empty() || !is_lower_or_digit(text.front()) || !is_lower_or_digit(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_lower_or_digit(text[i])) {
      ++i;
      continue;
    }
    const char c = text[i];
    std::size_t run = 0;
    while (text[i] == c) ++run, ++i;  // ends at the last character, which is a letter or digit
    if (!is_lower_or_digit(text[i])) return false;
    if (c == '-' || (c == '.' && run == 1) || (c == '_' && run <= 2)) continue;
    return false;
  }
  return true;
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTag && is_word(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_host(std::string_view text) {
  std::string_view name = text;
  const std::size_t bracket = text.find(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    if (!is_port(text.substr(colon + 1))) return false;
    name = text.substr(0, colon);
  }
  if (name.starts_with('[')) {
    return name.ends_with(']') && std::all_of(name.begin() + 1, name.end() - 1, [](unsigned char c) {
             return std::isxdigit(c) != 0 || c == ':' || c == '.';
           });
  }
  return !name.empty() && name.front() != '.' && name.front() != '-' && name.back() != '.' && name.back() != '-' &&
         name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) { return (is_word(c) && c != '_') || c == '.' || c == '-'; });
}

/// docker's rule for the part before the first slash.
bool looks_like_host(std::string_view text) {
  return text == "localhost" || text.find_first_of(".:[") != std::string_view::npos;
}

Error refuse(std::string_view text, std::string_view why) {
  return error(Errc::usage, "the image name \"{}\" {}", visible(text), why);
}

}  // namespace

std::string Reference::text() const {
  std::string out = host.empty() ? path : repository();
  if (!tag.empty()) out += ":" + tag;
  if (!digest.empty()) out += "@" + digest.text();
  return out;
}

Result<Reference> parse_reference(std::string_view text) {
  const std::string_view whole = text;
  if (text.starts_with("docker://")) text.remove_prefix(9);
  Reference ref;
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    auto digest = Digest::parse(text.substr(at + 1));
    if (!digest) return refuse(whole, "has no sha256 digest after \"@\"");
    ref.digest = std::move(digest).take();
    text = text.substr(0, at);
  }
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos && looks_like_host(text.substr(0, slash))) {
    ref.host = text.substr(0, slash);
    if (!is_host(ref.host)) return refuse(whole, "has a registry host that is not one");
    text = text.substr(slash + 1);
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    ref.tag = text.substr(colon + 1);
    if (!is_tag(ref.tag)) return refuse(whole, "has a tag that is not one");
    text = text.substr(0, colon);
  }
  if (ref.tag.empty() && ref.digest.empty()) ref.tag = "latest";
  ref.path = text;
  if (ref.path.empty() || ref.host.size() + ref.path.size() > kMaxName) return refuse(whole, "is empty or too long");
  for (const std::string& component : split(ref.path, '/')) {
    if (!is_component(component)) return refuse(whole, "may hold lower-case letters, digits and . _ - between them");
  }
  if (Digest::parse("sha256:" + ref.path)) return refuse(whole, "cannot be 64 hex digits, which is an image's id");
  return ref;
}

}  // namespace kiln::cloud
