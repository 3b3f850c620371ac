#include "sandbox/prepare.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "sandbox/filter.h"
#include "sandbox/stub.h"

namespace kiln::sandbox {

namespace {

constexpr std::size_t kMaxLowers = 400;  // overlayfs takes 500; layers-and-keys section 2

Result<> check(const RunSpec& spec) {
  if (spec.lowers.size() > kMaxLowers) {
    return error(Errc::usage, "{} layers are more than {}: the oldest have to be merged", spec.lowers.size(),
                 kMaxLowers);
  }
  struct statfs facts {};
  if (::statfs(spec.scratch.c_str(), &facts) != 0) return sys_error("open {}", spec.scratch);
  if (facts.f_type == OVERLAYFS_SUPER_MAGIC) {
    return error(Errc::denied,
                 "{} is on an overlay file system, which cannot hold a layer that is being made; set KILN_STORE to a "
                 "directory on a real one (in a container: a volume)",
                 spec.scratch);
  }
  for (const auto& [name, value] : spec.env) {
    const bool bad = name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos ||
                     value.find('\0') != std::string::npos;
    if (bad) return error(Errc::usage, "environment variable {} cannot be given to a program", name);
  }
  return {};
}

Result<> make_dir(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 || ::chmod(path.c_str(), mode) != 0) return sys_error("make {}", path);
  return {};
}

/// The upper's root is the root that the step sees, so it is dressed as the tree's.
Result<> make_upper(const tree::Merged& tree, const fs::path& upper) {
  TRY(make_dir(upper, 0755));
  const auto root = TRY(tree.resolve("", false));
  if (!root.found) return {};
  const Fd fd = TRY(open_dir(upper));
  const std::string from = fmt::format("/proc/self/fd/{}", tree.layer_fd(root.found->layer));
  return copy_metadata(from + "/.", root.found->st, fd.get()).context("make {}", upper);
}

Result<> make_scratch(const RunSpec& spec, const tree::Merged& tree) {
  const ScratchPaths scratch(spec.scratch);
  TRY(make_upper(tree, scratch.upper()));
  TRY(make_dir(scratch.work(), 0700));
  for (std::size_t i = 0; i < spec.caches.size(); ++i) {
    TRY(make_dirs(spec.caches[i].shared));
    TRY(make_dir(scratch.cache_upper(i), 0755));
    TRY(make_dir(scratch.cache_work(i), 0700));
  }
  return {};
}

Result<Account> account_of(const RunSpec& spec) {
  const auto* exec = std::get_if<Exec>(&spec.action);
  if (exec == nullptr) return Account{};
  const auto passwd = TRY(tree::read_merged(spec.lowers, "etc/passwd").context("looking up user {}", exec->user));
  const auto group = TRY(tree::read_merged(spec.lowers, "etc/group").context("looking up user {}", exec->user));
  return find_account(exec->user, passwd.value_or(""), group.value_or(""));
}

}  // namespace

Result<std::string> prepare(const RunSpec& spec, bool terminal) {
  TRY(check(spec));
  const tree::Merged tree = TRY(tree::Merged::open(spec.lowers));
  const Account account = TRY(account_of(spec));
  const StubPlan plan = TRY(plan_stubs(tree, spec));
  TRY(make_scratch(spec, tree));
  const fs::path stub = ScratchPaths(spec.scratch).stub();
  TRY(spec.stub_home.empty() ? make_stub_layer(tree, plan.entries, stub, clock_of(spec))
                             : link_stub_layer(tree, plan.entries, spec.stub_home, stub, clock_of(spec)));
  const std::string filter = TRY(step_filter());
  return encode(plan_setup(spec, plan.places), spec, account, filter, terminal);
}

}  // namespace kiln::sandbox
