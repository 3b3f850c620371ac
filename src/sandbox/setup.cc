#include "sandbox/setup.h"

#include <sys/mount.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "sandbox/filter.h"
#include "sandbox/init/wire.h"

namespace kiln::sandbox {

namespace {

std::string inside(const std::string& path) {
  const std::size_t first = path.find_first_not_of('/');
  return first == std::string::npos ? std::string() : path.substr(first);
}

bool starts_with(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

void add_dev(std::vector<SetupOp>& ops) {
  constexpr std::uint32_t kPlain = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  ops.push_back(Tmpfs{"dev", "mode=755,size=64k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC});
  struct Node {
    const char* name;
    std::uint32_t major, minor;
  };
  for (const Node& node : {Node{"null", 1, 3}, Node{"zero", 1, 5}, Node{"full", 1, 7}, Node{"random", 1, 8},
                           Node{"urandom", 1, 9}, Node{"tty", 5, 0}}) {
    ops.push_back(Device{fmt::format("/dev/{}", node.name), fmt::format("dev/{}", node.name), node.major, node.minor});
  }
  ops.push_back(MakeDir{"dev/pts", 0755});
  ops.push_back(Devpts{"dev/pts"});
  ops.push_back(Symlink{"pts/ptmx", "dev/ptmx"});
  ops.push_back(MakeDir{"dev/shm", 01777});
  ops.push_back(Tmpfs{"dev/shm", "mode=1777,size=1g", kPlain});
  ops.push_back(Symlink{"/proc/self/fd", "dev/fd"});
  ops.push_back(Symlink{"/proc/self/fd/0", "dev/stdin"});
  ops.push_back(Symlink{"/proc/self/fd/1", "dev/stdout"});
  ops.push_back(Symlink{"/proc/self/fd/2", "dev/stderr"});
}

void add_proc(std::vector<SetupOp>& ops, std::uint32_t max_processes) {
  ops.push_back(Proc{"proc"});
  if (max_processes > 0) ops.push_back(MaxProcs{max_processes});
  for (const char* path : {"sys", "bus", "fs", "irq", "sysrq-trigger"}) ops.push_back(ReadOnly{path});
  for (const char* path : {"acpi", "asound", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list",
                           "timer_stats", "kallsyms", "kmsg"}) {
    ops.push_back(Mask{path});
  }
}

/// Every directory between run/ and the path, once.
void add_parents(std::vector<SetupOp>& ops, std::set<std::string>& made, const std::string& path) {
  for (std::size_t slash = path.find('/', 4); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (made.insert(parent).second) ops.push_back(MakeDir{parent, 0755});
  }
}

void add_run(std::vector<SetupOp>& ops, const RunSpec& spec, const Places& places) {
  ops.push_back(Tmpfs{"run", "mode=755,size=1g", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV});
  ops.push_back(MakeDir{"run/kiln", 0755});
  ops.push_back(MakeDir{"run/lock", 01777});
  ops.push_back(OwnCopy{"run/kiln/init"});
  std::set<std::string> made = {"run/kiln", "run/lock"};
  const auto write = [&](const std::string& path, const StubFile& file) {
    add_parents(ops, made, path);
    ops.push_back(WriteFile{path, file.content, file.mode});
  };
  for (const StubFile& stub : spec.stubs) {
    if (starts_with(inside(stub.path), "run/kiln/")) write(inside(stub.path), stub);
  }
  for (const StubFile& stub : places.run_files) write(stub.path, stub);
}

/// A mount point below /run or /dev is not in the tree: it is made on their tmpfs.
void add_mount_point(std::vector<SetupOp>& ops, std::set<std::string>& made, const std::string& path, bool directory) {
  if (!starts_with(path, "run/") && !starts_with(path, "dev/")) return;
  add_parents(ops, made, path);
  if (!made.insert(path).second) return;
  if (directory) {
    ops.push_back(MakeDir{path, 0755});
  } else {
    ops.push_back(WriteFile{path, {}, 0644});
  }
}

void add_mounts(std::vector<SetupOp>& ops, const RunSpec& spec, const Places& places) {
  std::set<std::string> made;
  for (std::size_t i = 0; i < spec.caches.size(); ++i) {
    const ScratchPaths scratch(spec.scratch);
    add_mount_point(ops, made, places.caches[i], true);
    ops.push_back(Overlay{.target = places.caches[i],
                          .upper = scratch.cache_upper(i),
                          .work = scratch.cache_work(i),
                          .lowers = {spec.caches[i].shared}});
  }
  for (std::size_t i = 0; i < spec.binds.size(); ++i) {
    std::error_code ec;
    add_mount_point(ops, made, places.binds[i], fs::is_directory(spec.binds[i].source, ec));
    ops.push_back(BindMount{spec.binds[i].source, places.binds[i], spec.binds[i].read_only});
  }
}

void add_sources(std::vector<SetupOp>& ops, const RunSpec& spec) {
  if (const auto* uploads = std::get_if<std::vector<Upload>>(&spec.action)) {
    for (const Upload& upload : *uploads) ops.push_back(HostSource{upload.source});
  }
  if (const auto* downloads = std::get_if<std::vector<Download>>(&spec.action)) {
    for (const Download& download : *downloads) ops.push_back(HostSource{download.destination});
  }
}

}  // namespace

std::int64_t clock_of(const RunSpec& spec) {
  const auto found = spec.env.find("SOURCE_DATE_EPOCH");
  std::int64_t clock = 0;
  if (found != spec.env.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), clock);
  }
  return clock;
}

std::vector<SetupOp> plan_setup(const RunSpec& spec, const Places& places) {
  const ScratchPaths scratch(spec.scratch);
  std::vector<SetupOp> ops;
  Overlay root{.target = "", .mount = scratch.upper(), .upper = scratch.upper(), .work = scratch.work()};
  root.lowers.push_back(scratch.stub());
  root.lowers.insert(root.lowers.end(), spec.lowers.rbegin(), spec.lowers.rend());
  ops.push_back(std::move(root));
  add_dev(ops);
  add_proc(ops, spec.max_processes);
  add_run(ops, spec, places);
  add_mounts(ops, spec, places);
  for (const StubFile& script : spec.scripts) {
    ops.push_back(WriteFile{inside(script.path), script.content, script.mode, true});
  }
  add_sources(ops, spec);
  ops.push_back(Pivot{});
  ops.push_back(Hostname{spec.hostname});
  if (spec.network == Network::none) ops.push_back(Loopback{});
  return ops;
}

namespace {

class Writer {
 public:
  Writer& number(std::uint64_t value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Writer& text(std::string_view value) {
    number(value.size());
    text_.append(value);
    text_ += '\0';
    return *this;
  }
  Writer& op(wire::Op op) { return number(static_cast<std::uint64_t>(op)); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// One overload an operation: its fields, in the order of wire.h.
struct OpEncoder {
  Writer& out;

  void operator()(const Overlay& o) {
    out.op(wire::Op::overlay).text(o.target).text(o.mount.native()).text(o.upper.native()).text(o.work.native());
    out.number(o.lowers.size());
    for (const fs::path& lower : o.lowers) out.text(lower.native());
  }
  void operator()(const Tmpfs& o) { out.op(wire::Op::tmpfs).text(o.target).text(o.options).number(o.attributes); }
  void operator()(const Proc& o) { out.op(wire::Op::proc).text(o.target); }
  void operator()(const Devpts& o) { out.op(wire::Op::devpts).text(o.target); }
  void operator()(const ReadOnly& o) { out.op(wire::Op::read_only).text(o.path); }
  void operator()(const Mask& o) { out.op(wire::Op::mask).text(o.path); }
  void operator()(const Device& o) {
    out.op(wire::Op::device).text(o.source).text(o.target).number(o.major).number(o.minor);
  }
  void operator()(const BindMount& o) {
    out.op(wire::Op::bind).text(o.source.native()).text(o.target).number(o.read_only ? 1 : 0);
  }
  void operator()(const MakeDir& o) { out.op(wire::Op::make_dir).text(o.path).number(o.mode); }
  void operator()(const WriteFile& o) {
    out.op(o.script ? wire::Op::script : wire::Op::write_file).text(o.path).number(o.mode).text(o.content);
  }
  void operator()(const Symlink& o) { out.op(wire::Op::symlink).text(o.text).text(o.path); }
  void operator()(const OwnCopy& o) { out.op(wire::Op::own_copy).text(o.path); }
  void operator()(const Hostname& o) { out.op(wire::Op::hostname).text(o.name); }
  void operator()(const Loopback&) { out.op(wire::Op::loopback); }
  void operator()(const HostSource& o) { out.op(wire::Op::source).text(o.path.native()); }
  void operator()(const Pivot&) { out.op(wire::Op::pivot); }
  void operator()(const MaxProcs& o) { out.op(wire::Op::max_procs).number(o.count); }
};

void encode_exec(Writer& out, const Exec& exec, const RunSpec& spec, const Account& account, bool terminal) {
  out.number(static_cast<std::uint64_t>(wire::Action::exec)).number(exec.argv.size());
  for (const std::string& argument : exec.argv) out.text(argument);
  out.text(exec.cwd);
  const bool add_home = !spec.env.contains("HOME");
  out.number(spec.env.size() + (add_home ? 1 : 0));
  for (const auto& [name, value] : spec.env) out.text(fmt::format("{}={}", name, value));
  if (add_home) out.text("HOME=" + account.home);
  out.number(account.uid).number(account.gid).number(account.groups.size());
  for (const std::uint32_t group : account.groups) out.number(group);
  out.number(terminal ? 1 : 0);
}

std::string base_name(const fs::path& path) {
  const std::string text = path.native().substr(0, path.native().find_last_not_of('/') + 1);
  return fs::path(text).filename().string();
}

void encode_copies(Writer& out, const RunSpec& spec) {
  std::uint64_t source = 0;
  if (const auto* uploads = std::get_if<std::vector<Upload>>(&spec.action)) {
    out.number(static_cast<std::uint64_t>(wire::Action::upload))
        .number(static_cast<std::uint64_t>(clock_of(spec)))
        .number(uploads->size());
    for (const Upload& upload : *uploads) {
      out.number(source++).text(upload.destination).text(base_name(upload.source)).number(upload.contents ? 1 : 0);
    }
  }
  if (const auto* downloads = std::get_if<std::vector<Download>>(&spec.action)) {
    out.number(static_cast<std::uint64_t>(wire::Action::download)).number(downloads->size());
    for (const Download& download : *downloads) out.text(download.source).number(source++);
  }
}

}  // namespace

std::string encode(const std::vector<SetupOp>& ops, const RunSpec& spec, const Account& account,
                   std::string_view filter, bool terminal) {
  Writer out;
  for (const SetupOp& op : ops) std::visit(OpEncoder{out}, op);
  out.op(wire::Op::end);
  out.number(spec.strict ? 1 : 0).number(step_capabilities()).text(filter);
  if (const auto* exec = std::get_if<Exec>(&spec.action)) {
    encode_exec(out, *exec, spec, account, terminal);
  } else {
    encode_copies(out, spec);
  }
  return out.take();
}

}  // namespace kiln::sandbox
