#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "store/collect.h"
#include "store/scratch.h"
#include "store/space.h"
#include "store/state.h"

namespace kiln::store {

namespace {

std::string result_name(const Digest& key) {
  return fmt::format("results/{}.json", key.hex());
}

std::string alias_name(const Digest& description, const Digest& parents) {
  return fmt::format("aliases/{}/{}.json", description.hex(), parents.hex());
}

/// Whether text may be part of a path below the store.
bool is_name(std::string_view text) {
  const auto ok = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
           c == '.';
  };
  return !text.empty() && text.size() <= 128 && text.front() != '.' && std::all_of(text.begin(), text.end(), ok);
}

Result<std::string> record_name(std::string_view kind, std::string_view name) {
  if (is_name(kind) && is_name(name)) return fmt::format("records/{}/{}.json", kind, name);
  return error(Errc::usage, "'{}/{}' cannot name a record of the store", kind, name);
}

/// A step may see it as a user of its own, so the mode is that of an ordinary directory; the store's root is private.
Result<> make_shared(const fs::path& dir) {
  if (::mkdir(dir.c_str(), 0755) == 0) {
    if (::chmod(dir.c_str(), 0755) == 0) return {};
  } else if (errno == EEXIST) {
    return {};
  }
  return sys_error("make directory {}", dir);
}

Json render(const StepResult& result) {
  Json value{{"facts", result.facts}};
  if (!result.layer.empty()) value["layer"] = result.layer.text();
  if (!result.volatile_layer.empty()) value["volatile_layer"] = result.volatile_layer.text();
  return value;
}

/// Nothing when the value is not a result: as good as absent.
std::optional<StepResult> parse_result(Json value) {
  StepResult result;
  for (const auto& [name, digest] : {std::pair{"layer", &result.layer}, {"volatile_layer", &result.volatile_layer}}) {
    const std::string text = json_string(value, name);
    if (text.empty()) continue;  // the step changed nothing there
    auto parsed = Digest::parse(text);
    if (!parsed) return {};
    *digest = std::move(*parsed);
  }
  result.facts = std::move(value["facts"]);
  return result;
}

Result<std::optional<StepResult>> read_result(Entries& entries, const std::string& name) {
  auto entry = TRY(entries.read(name, Touch::yes));
  if (!entry) return std::optional<StepResult>();
  return parse_result(std::move(entry->value));
}

}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const fs::path& root) {
  auto state = std::make_unique<State>(TRY(open_home(root)));
  TRY(sweep_dead(state->home.root).context("the store {}", state->home.root));
  TRY(drop_stale_once(state->home, state->entries).context("the store {}", state->home.root));
  (void)sweep_trash(state->home.root);  // what cannot be removed now is tried again next time
  return Store(std::move(state));
}

const fs::path& Store::root() const {
  return state_->home.root;
}

Result<Scratch> Store::scratch(std::string_view what) {
  const auto make = [&] {
    auto made = Scratch::create(root(), what);
    if (made || made.error().code() != Errc::no_space) return made;
    state_->reaper->finish();  // room is on its way
    return Scratch::create(root(), what);
  };
  Scratch scratch = TRY(with_space(make(), root()));
  scratch.reaper_ = state_->reaper;
  return scratch;
}

Result<std::optional<StepResult>> Store::find_result(const Digest& key) {
  return read_result(state_->entries, result_name(key));
}

Result<> Store::put_result(const Digest& key, const StepResult& result) {
  return state_->entries.put(result_name(key), render(result));
}

bool Store::has_alias(const Digest& description) {
  return ::faccessat(state_->home.dir.get(), ("aliases/" + description.hex()).c_str(), F_OK, 0) == 0;
}

Result<std::optional<StepResult>> Store::find_alias(const Digest& description, const Digest& parents) {
  return read_result(state_->entries, alias_name(description, parents));
}

Result<> Store::put_alias(const Digest& description, const Digest& parents, const StepResult& result) {
  return state_->entries.put(alias_name(description, parents), render(result));
}

Result<std::optional<Json>> Store::read_record(std::string_view kind, std::string_view name) {
  const std::string file = TRY(record_name(kind, name));
  auto entry = TRY(state_->entries.read(file, Touch::yes));
  if (!entry) return std::optional<Json>();
  return std::optional<Json>(std::move(entry->value));
}

Result<> Store::write_record(std::string_view kind, std::string_view name, const Json& value) {
  const std::string file = TRY(record_name(kind, name));
  return state_->entries.put(file, value);
}

Result<Digest> Store::file_digest(const fs::path& path) {
  return state_->digests.of(path);
}

Result<> Store::flush() {
  return state_->digests.flush();
}

Result<LockFile> Store::lock_key(const Digest& key, const Cancel& cancel,
                                 const std::function<void(const std::string&)>& on_wait) {
  LockFile lock =
      TRY(with_space(LockFile::lock(root() / "locks" / key.hex(), LockKind::exclusive, cancel, on_wait), root()));
  (void)lock.note(fmt::format("process {}", ::getpid()));  // advice only: a full disk may refuse it
  return lock;
}

Result<> Store::lease(const Digest& digest) {
  return with_space(state_->leases.add(digest), root());
}

Result<fs::path> Store::directory(std::string_view name) {
  fs::path dir = root() / "dirs";
  for (const std::string& part : split(name, '/')) {
    if (!is_name(part)) return error(Errc::usage, "'{}' cannot name a directory of the store", name);
    dir /= part;
    TRY(with_space(make_shared(dir), root()));
  }
  return dir;
}

Result<> Store::make_durable() {
  return state_->entries.make_durable();
}

}  // namespace kiln::store
