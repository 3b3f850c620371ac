// Go's time layouts: the reference time Mon Jan 2 15:04:05 MST 2006 (-0700) stands for the fields of any other.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "template/moment.h"

namespace kiln::tmpl {

namespace {

struct Element {
  std::string_view text;  // as it stands in a layout
  std::string (*write)(const Moment& m, const Civil& c);
};

int hour12(const Civil& c) {
  return c.hour % 12 == 0 ? 12 : c.hour % 12;
}

std::string zone(const Moment& m, bool z, bool colon, bool minutes, bool seconds) {
  if (z && m.offset_seconds == 0) return "Z";
  std::string s = offset_text(m, colon);
  if (!minutes) s.resize(3);
  if (seconds) s += fmt::format("{}{:02}", colon ? ":" : "", std::abs(m.offset_seconds) % 60);
  return s;
}

// Longer elements stand before their beginnings.
constexpr auto kElements = std::to_array<Element>({
    {"January", [](const Moment&, const Civil& c) { return std::string(month_name(c.month)); }},
    {"Jan", [](const Moment&, const Civil& c) { return std::string(month_name(c.month), 3); }},
    {"Monday", [](const Moment&, const Civil& c) { return std::string(weekday_name(c.weekday)); }},
    {"Mon", [](const Moment&, const Civil& c) { return std::string(weekday_name(c.weekday), 3); }},
    {"MST",
     [](const Moment& m, const Civil&) {
       return m.offset_seconds == 0 ? "UTC" : zone(m, false, false, m.offset_seconds % 3600 != 0, false);
     }},
    {"002", [](const Moment&, const Civil& c) { return fmt::format("{:03}", c.year_day); }},
    {"01", [](const Moment&, const Civil& c) { return fmt::format("{:02}", c.month); }},
    {"02", [](const Moment&, const Civil& c) { return fmt::format("{:02}", c.day); }},
    {"03", [](const Moment&, const Civil& c) { return fmt::format("{:02}", hour12(c)); }},
    {"04", [](const Moment&, const Civil& c) { return fmt::format("{:02}", c.minute); }},
    {"05", [](const Moment&, const Civil& c) { return fmt::format("{:02}", c.second); }},
    {"06", [](const Moment&, const Civil& c) { return fmt::format("{:02}", c.year % 100); }},
    {"15", [](const Moment&, const Civil& c) { return fmt::format("{:02}", c.hour); }},
    {"1", [](const Moment&, const Civil& c) { return fmt::format("{}", c.month); }},
    {"2006", [](const Moment&, const Civil& c) { return fmt::format("{:04}", c.year); }},
    {"2", [](const Moment&, const Civil& c) { return fmt::format("{}", c.day); }},
    {"_2006", [](const Moment&, const Civil& c) { return fmt::format("_{:04}", c.year); }},
    {"__2", [](const Moment&, const Civil& c) { return fmt::format("{:3}", c.year_day); }},
    {"_2", [](const Moment&, const Civil& c) { return fmt::format("{:2}", c.day); }},
    {"3", [](const Moment&, const Civil& c) { return fmt::format("{}", hour12(c)); }},
    {"4", [](const Moment&, const Civil& c) { return fmt::format("{}", c.minute); }},
    {"5", [](const Moment&, const Civil& c) { return fmt::format("{}", c.second); }},
    {"PM", [](const Moment&, const Civil& c) { return std::string(c.hour >= 12 ? "PM" : "AM"); }},
    {"pm", [](const Moment&, const Civil& c) { return std::string(c.hour >= 12 ? "pm" : "am"); }},
    {"-070000", [](const Moment& m, const Civil&) { return zone(m, false, false, true, true); }},
    {"-07:00:00", [](const Moment& m, const Civil&) { return zone(m, false, true, true, true); }},
    {"-0700", [](const Moment& m, const Civil&) { return zone(m, false, false, true, false); }},
    {"-07:00", [](const Moment& m, const Civil&) { return zone(m, false, true, true, false); }},
    {"-07", [](const Moment& m, const Civil&) { return zone(m, false, false, false, false); }},
    {"Z070000", [](const Moment& m, const Civil&) { return zone(m, true, false, true, true); }},
    {"Z07:00:00", [](const Moment& m, const Civil&) { return zone(m, true, true, true, true); }},
    {"Z0700", [](const Moment& m, const Civil&) { return zone(m, true, false, true, false); }},
    {"Z07:00", [](const Moment& m, const Civil&) { return zone(m, true, true, true, false); }},
    {"Z07", [](const Moment& m, const Civil&) { return zone(m, true, false, false, false); }},
});

/// "Jan" and "Mon" are elements only where no lower-case letter follows ("Month" is text).
bool follows_well(std::string_view element, std::string_view rest) {
  if (element != "Jan" && element != "Mon") return true;
  return rest.size() == 3 || rest[3] < 'a' || rest[3] > 'z';
}

/// Length of a fraction ".000" or ",999" at the front, 0 when there is none.
std::size_t fraction_length(std::string_view s) {
  if (s.size() < 2 || (s[0] != '.' && s[0] != ',') || (s[1] != '0' && s[1] != '9')) return 0;
  const std::size_t end = std::min(s.find_first_not_of(s[1], 1), s.size());
  return end < s.size() && s[end] >= '0' && s[end] <= '9' ? 0 : end;
}

std::string fraction(const Moment& m, std::string_view element) {
  std::string digits = fmt::format("{:09}", m.nanoseconds).substr(0, std::min<std::size_t>(9, element.size() - 1));
  digits.resize(element.size() - 1, '0');
  if (element[1] == '9') digits.erase(digits.find_last_not_of('0') + 1);
  return digits.empty() ? "" : element[0] + digits;
}

}  // namespace

std::string go_layout(const Moment& moment, std::string_view layout) {
  const Civil c = civil(moment);
  std::string out;
  while (!layout.empty()) {
    if (const std::size_t n = fraction_length(layout); n > 0) {
      out += fraction(moment, layout.substr(0, n));
      layout.remove_prefix(n);
      continue;
    }
    const auto* it = std::find_if(kElements.begin(), kElements.end(), [&](const Element& e) {
      return layout.starts_with(e.text) && follows_well(e.text, layout);
    });
    if (it == kElements.end()) {
      out += layout[0];
      layout.remove_prefix(1);
    } else {
      out += it->write(moment, c);
      layout.remove_prefix(it->text.size());
    }
  }
  return out;
}

}  // namespace kiln::tmpl
