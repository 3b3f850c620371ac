#include "event/json.h"

#include <array>
#include <limits>

#include "base/json.h"
#include "event/fields.h"

namespace kiln::event {

namespace {

constexpr std::array<std::string_view, 5> kOutcomes = {"built", "cached", "skipped", "failed", "interrupted"};

/// Makes an object of a fact.
class Writer {
 public:
  template <class T>
  void operator()(const char* name, T& value) {
    json_[name] = of(value);
  }
  template <class T>
  void own(const char* name, T& value) {
    json_[name] = of(value);
  }
  Json take() { return std::move(json_); }

 private:
  static Json of(const std::string& value) { return value; }
  static Json of(bool value) { return value; }
  static Json of(std::uint32_t value) { return value; }
  static Json of(std::uint64_t value) { return value; }
  static Json of(Outcome value) { return word_of(value); }
  static Json of(const std::optional<StepId>& value) { return value ? Json(*value) : Json(nullptr); }
  template <class T>
  static Json of(std::vector<T>& values) {
    Json list = Json::array();
    for (T& value : values) list.push_back(of(value));
    return list;
  }
  template <HasFields T>
  static Json of(T& fact) {
    Writer inner;
    visit_fields(inner, fact);
    return inner.take();
  }
  Json json_ = Json::object();
};

/// Fills a fact from an object; remembers the first thing that was wrong.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}
  template <class T>
  void operator()(const char* name, T& value) {
    const auto it = json_.find(name);
    if (!problem_.empty()) return;
    if (it == json_.end()) {
      problem_ = fmt::format("\"{}\" is missing", name);
    } else if (!read(*it, value)) {
      problem_ = problem_.empty() ? fmt::format("\"{}\" is not what it should be", name)
                                  : fmt::format("in \"{}\": {}", name, problem_);
    }
  }
  template <class T>
  void own(const char* name, T& value) {
    (*this)(name, value);
  }
  const std::string& problem() const { return problem_; }

 private:
  bool read(const Json& from, std::string& to) {
    if (from.is_string()) to = from.get<std::string>();
    return from.is_string();
  }
  bool read(const Json& from, bool& to) {
    if (from.is_boolean()) to = from.get<bool>();
    return from.is_boolean();
  }
  bool read(const Json& from, std::uint64_t& to) {
    if (from.is_number_unsigned()) to = from.get<std::uint64_t>();
    return from.is_number_unsigned();
  }
  bool read(const Json& from, std::uint32_t& to) {
    std::uint64_t wide = 0;
    if (!read(from, wide) || wide > std::numeric_limits<std::uint32_t>::max()) return false;
    to = static_cast<std::uint32_t>(wide);
    return true;
  }
  bool read(const Json& from, Outcome& to) {
    for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
      if (from == kOutcomes[i]) {
        to = static_cast<Outcome>(i);
        return true;
      }
    }
    return false;
  }
  bool read(const Json& from, std::optional<StepId>& to) {
    if (from.is_null()) return true;
    StepId id = 0;
    if (!read(from, id)) return false;
    to = id;
    return true;
  }
  template <class T>
  bool read(const Json& from, std::vector<T>& to) {
    if (!from.is_array()) return false;
    for (const Json& element : from) {
      if (!read(element, to.emplace_back())) return false;
    }
    return true;
  }
  template <HasFields T>
  bool read(const Json& from, T& fact) {
    if (!from.is_object()) return false;
    Reader inner(from);
    visit_fields(inner, fact);
    problem_ = inner.problem();
    return problem_.empty();
  }
  const Json& json_;
  std::string problem_;
};

/// Reads the fact named name as the alternative of Fact with that name.
template <std::size_t I = 0>
Result<Fact> read_fact(const std::string& name, const Json& json) {
  if constexpr (I < std::variant_size_v<Fact>) {
    using T = std::variant_alternative_t<I, Fact>;
    if (name != fact_name<T>()) return read_fact<I + 1>(name, json);
    T fact{};
    Reader reader(json);
    visit_fields(reader, fact);
    if (!reader.problem().empty()) return error(Errc::corrupt, "fact {}: {}", name, reader.problem());
    return Fact(std::move(fact));
  } else {
    return error(Errc::corrupt, "fact \"{}\" is not known to this version of kiln", name);
  }
}

}  // namespace

std::string_view word_of(Outcome outcome) {
  return kOutcomes.at(static_cast<std::size_t>(outcome));
}

std::string render_event(const Event& event) {
  Writer writer;
  const char* name = nullptr;
  std::visit(
      [&]<class T>(T fact) {
        name = fact_name<T>();
        visit_fields(writer, fact);
      },
      event.what);
  Json json = writer.take();
  json["at_ms"] = event.at_ms;
  json["fact"] = name;
  return render_json(json);
}

Result<Event> parse_event(std::string_view line) {
  const Json json = TRY(parse_json(line).context("reading an event"));
  const auto at = json.is_object() ? json.find("at_ms") : json.end();
  if (at == json.end() || !at->is_number_integer()) return error(Errc::corrupt, "reading an event: no time in it");
  Event event;
  event.at_ms = at->get<std::int64_t>();
  event.what = TRY(read_fact(json_string(json, "fact"), json).context("reading an event"));
  return event;
}

}  // namespace kiln::event
