// For the room's tests: small trees on disk, a busybox tree to run steps in, and steps in one line.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/sandbox.h"
#include "support/tree.h"

namespace kiln::sandbox {

/// Why steps cannot run here, or empty.
inline std::string no_steps_because() {
  if (::geteuid() != 0) return "steps need root";
  if (!fs::exists("/bin/busybox")) return "no /bin/busybox (package busybox-static)";
  return {};
}

/// A tree with busybox and little else.
inline void fill_busybox(Tree& tree) {
  ::chmod(tree.path().c_str(), 0755);
  tree.dir("bin").dir("etc").dir("root", 0700).dir("tmp", 01777).dir("usr/sbin");
  std::error_code other_device;
  fs::create_hard_link("/bin/busybox", tree.path("bin/busybox"), other_device);
  if (other_device) fs::copy_file("/bin/busybox", tree.path("bin/busybox"));
  for (const char* name :
       {"sh",    "cat",   "ls",    "echo", "sleep", "rm",   "mv",       "mkdir", "grep",     "id",    "env", "ln",
        "touch", "chmod", "chown", "kill", "true",  "stat", "readlink", "cp",    "hostname", "mount", "test"}) {
    tree.link(std::string("bin/") + name, "busybox");
  }
  tree.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbob:x:185:100:Bob:/home/bob:/bin/sh\n");
  tree.file("etc/group", "root:x:0:\nusers:x:100:\nextra:x:101:bob\n");
}

/// One step over layers, with what it printed.
struct TestStep {
  Tree scratch;
  RunSpec spec;
  std::vector<std::string> out, err;
  Cancel cancel;

  explicit TestStep(std::vector<fs::path> lowers, const std::string& script = "") {
    spec.lowers = std::move(lowers);
    spec.scratch = scratch.path();
    spec.action = Exec{.argv = {"/bin/sh", "-c", script}};
    spec.env = {{"PATH", "/usr/sbin:/bin:/sbin"}, {"SOURCE_DATE_EPOCH", "1600000000"}};
    spec.grace = Duration(2000);
    spec.on_line = [this](std::string_view line, bool is_stderr) { (is_stderr ? err : out).emplace_back(line); };
  }
  Result<RunResult> run() { return sandbox::run(spec, cancel); }
  std::string upper(const std::string& path) const { return scratch.path("upper/" + path); }
};

}  // namespace kiln::sandbox
