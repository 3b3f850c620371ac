#include "cloud/xml.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace kiln::cloud {

namespace {

constexpr std::size_t kMaxDepth = 50;  // an answer of EC2 has about ten levels

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : rest_(text) {}
  Result<XmlElement> document() {
    TRY(skip_to_element());
    return element(0);
  }

 private:
  Error corrupt(std::string_view what) const {
    return Error(Errc::corrupt, fmt::format("XML: {} ({} bytes before the end)", what, rest_.size()));
  }
  bool accept(std::string_view prefix) {
    if (!rest_.starts_with(prefix)) return false;
    rest_.remove_prefix(prefix.size());
    return true;
  }
  Result<> skip_behind(std::string_view end) {
    const std::size_t at = rest_.find(end);
    if (at == std::string_view::npos) return corrupt("something is not closed");
    rest_.remove_prefix(at + end.size());
    return {};
  }
  /// Declarations and comments before the root.
  Result<> skip_to_element() {
    for (;;) {
      const std::size_t at = rest_.find('<');
      if (at == std::string_view::npos) return corrupt("there is no element");
      rest_.remove_prefix(at);
      if (rest_.starts_with("<!--")) {
        TRY(skip_behind("-->"));
      } else if (rest_.starts_with("<?") || rest_.starts_with("<!")) {
        TRY(skip_behind(">"));
      } else {
        return {};
      }
    }
  }
  Result<XmlElement> element(std::size_t depth);
  Result<> content(XmlElement& e, std::size_t depth);

  std::string_view rest_;
};

std::string unescaped(std::string_view text) {
  std::string out(text);
  const std::pair<const char*, const char*> names[] = {{"&lt;", "<"},   {"&gt;", ">"},   {"&quot;", "\""},
                                                       {"&apos;", "'"}, {"&#10;", "\n"}, {"&#xA;", "\n"},
                                                       {"&amp;", "&"}};
  for (const auto& [from, to] : names) out = replace_all(std::move(out), from, to);
  return out;
}

Result<XmlElement> XmlReader::element(std::size_t depth) {
  if (depth > kMaxDepth) return corrupt("elements are nested too deep");
  if (!accept("<")) return corrupt("an element is missing");
  const std::size_t end = rest_.find('>');
  if (end == std::string_view::npos) return corrupt("a tag is not closed");
  const std::string_view tag = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  XmlElement out;
  out.name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  if (out.name.empty()) return corrupt("a tag has no name");
  if (!tag.ends_with('/')) TRY(content(out, depth));
  return out;
}

Result<> XmlReader::content(XmlElement& e, std::size_t depth) {
  for (;;) {
    const std::size_t at = rest_.find('<');
    if (at == std::string_view::npos) return corrupt(fmt::format("<{}> is not closed", e.name));
    e.text += unescaped(rest_.substr(0, at));
    rest_.remove_prefix(at);
    if (accept("</")) {
      if (!accept(e.name)) return corrupt(fmt::format("<{}> is closed by another name", e.name));
      return skip_behind(">");
    }
    if (rest_.starts_with("<!--")) {
      TRY(skip_behind("-->"));
    } else {
      e.inside.push_back(TRY(element(depth + 1)));
    }
  }
}

}  // namespace

const XmlElement* XmlElement::find(std::string_view wanted) const {
  const auto it = std::find_if(inside.begin(), inside.end(), [&](const XmlElement& e) { return e.name == wanted; });
  return it == inside.end() ? nullptr : &*it;
}

std::string XmlElement::text_of(std::string_view wanted) const {
  const XmlElement* found = find(wanted);
  return found == nullptr ? std::string() : std::string(trim(found->text));
}

Result<XmlElement> parse_xml(std::string_view text) {
  return XmlReader(text).document();
}

}  // namespace kiln::cloud
