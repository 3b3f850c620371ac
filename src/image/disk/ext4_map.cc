#include "image/disk/ext4_map.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>

namespace kiln::image::ext4 {

namespace {

constexpr std::string_view kTitle("kiln ext4 block map 1");
constexpr std::uint64_t kMaxBlock = kMaxBytes / kBlockBytes;

void append(std::string& text, const std::vector<Range>& ranges) {
  if (ranges.empty()) text += " -";
  char mark = ' ';
  for (const Range& r : ranges) {
    text += fmt::format("{}{}+{}", mark, r.first, r.blocks());
    mark = ',';
  }
}

/// Ranges that go on where the one before ends become one.
void add(std::vector<Range>& ranges, const Range& next) {
  if (!ranges.empty() && ranges.back().end == next.first) {
    ranges.back().end = next.end;
  } else {
    ranges.push_back(next);
  }
}

/// Reads numbers and words off the front of a record; fails for good at the first thing that is not as written.
class Record {
 public:
  explicit Record(std::string_view text) : text_(text) {}
  bool good() const { return good_; }
  std::string_view rest() const { return text_; }

  std::uint64_t number(std::uint64_t max) {
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    good_ = good_ && code == std::errc() && value <= max;
    if (good_) text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }
  bool skip(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) { good_ = skip(c) && good_; }
  std::vector<Range> ranges() {
    std::vector<Range> found;
    if (skip('-')) return found;
    do {
      const std::uint64_t first = number(kMaxBlock);
      expect('+');
      found.push_back({first, first + number(kMaxBlock)});
      good_ = good_ && found.back().blocks() != 0;
    } while (good_ && skip(','));
    return found;
  }

 private:
  std::string_view text_;
  bool good_ = true;
};

}  // namespace

std::string render_block_map(const Layout& layout) {
  std::string text(kTitle);
  text += '\0';
  for (std::size_t n = 0; n < layout.nodes.size(); ++n) {
    const Place& place = layout.nodes[n];
    const Ext4Node& node = layout.tree->nodes[n];
    std::vector<Range> content, index;
    for (const Run& run : layout.runs_of(place)) add(content, {run.block, run.block + run.blocks});
    for (const std::uint64_t block : layout.index_of(place)) add(index, {block, block + 1});
    text += fmt::format("{} {} {}", node.mode & S_IFMT, place.inode, place.attribute_block);
    append(text, content);
    append(text, index);
    text += ' ' + node.path;
    text += '\0';
  }
  return text;
}

std::optional<BlockMap> parse_block_map(std::string_view text) {
  BlockMap map;
  bool is_title = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return {};
    Record record(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (std::exchange(is_title, false)) {
      if (record.rest() != kTitle) return {};
      continue;
    }
    Mapped mapped;
    mapped.kind = static_cast<std::uint32_t>(record.number(S_IFMT));
    record.expect(' ');
    mapped.inode = static_cast<std::uint32_t>(record.number(~std::uint32_t{0}));
    record.expect(' ');
    mapped.attribute_block = record.number(kMaxBlock);
    record.expect(' ');
    mapped.content = record.ranges();
    record.expect(' ');
    mapped.index = record.ranges();
    record.expect(' ');
    if (!record.good()) return {};
    map.emplace(record.rest(), std::move(mapped));
  }
  return map;
}

std::vector<Range> freed_of(const BlockMap& map, const std::vector<Range>& free) {
  std::vector<Range> had;
  for (const auto& [path, mapped] : map) {
    had.insert(had.end(), mapped.content.begin(), mapped.content.end());
    had.insert(had.end(), mapped.index.begin(), mapped.index.end());
    if (mapped.attribute_block != 0) had.push_back({mapped.attribute_block, mapped.attribute_block + 1});
  }
  std::sort(had.begin(), had.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> freed;
  auto place = free.begin();
  for (const Range& r : had) {
    while (place != free.end() && place->end <= r.first) ++place;
    for (auto p = place; p != free.end() && p->first < r.end; ++p) {
      add(freed, {std::max(p->first, r.first), std::min(p->end, r.end)});
    }
  }
  return freed;
}

}  // namespace kiln::image::ext4
