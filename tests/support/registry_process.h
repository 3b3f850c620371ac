// A real registry for tests: Debian's docker-registry on a loopback port that the kernel chose, storing below a
// temporary directory. It ends with its owner. Also a way to call other tools and see what they say.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/text.h"

namespace kiln::testing_support {

inline bool has_program(const std::string& name) {
  for (const char* dir : {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"}) {
    if (::access((dir + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

struct ToolResult {
  int exit_code = -1;
  std::string out, err;
};

/// Runs a program; its output lines are joined with newlines.
inline ToolResult run_tool(std::vector<std::string> argv, const fs::path& cwd = "/",
                           std::map<std::string, std::string> env = {}) {
  env.emplace("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
  env.emplace("HOME", "/nonexistent");
  const Cancel cancel;
  ToolResult result;
  auto ran = run_process(
      {.argv = std::move(argv), .env = std::move(env), .cwd = cwd, .timeout = Duration(120'000)}, cancel,
      [&](std::string_view line, bool is_stderr) { (is_stderr ? result.err : result.out).append(line).append("\n"); });
  if (ran) result.exit_code = ran->exit_code;
  if (!ran) result.err = ran.error().text();
  return result;
}

class RegistryProcess {
 public:
  explicit RegistryProcess(const fs::path& dir) {
    const fs::path config = dir / "registry.yml";
    std::string text = fmt::format(
        "version: 0.1\nlog: {{level: info, formatter: json, accesslog: {{disabled: true}}}}\n"
        "storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\nhttp: {{addr: 127.0.0.1:0}}\n",
        (dir / "data").native());
    if (!write_file_quick(config, text)) std::abort();
    auto port = std::make_shared<std::promise<std::string>>();
    std::future<std::string> known = port->get_future();
    thread_ = std::thread([this, config, port] {
      bool told = false;
      // The log says "listening on 127.0.0.1:PORT".
      (void)run_process({.argv = {"docker-registry", "serve", config},
                         .env = {{"OTEL_TRACES_EXPORTER", "none"}},
                         .grace = Duration(2000)},
                        cancel_,
                        [&](std::string_view line, bool) {
                          const std::size_t at = line.find("listening on 127.0.0.1:");
                          if (told || at == std::string_view::npos) return;
                          const std::string_view rest = line.substr(at + 13);
                          port->set_value(std::string(rest.substr(0, rest.find_first_not_of("0123456789.:"))));
                          told = true;
                        })
          .ok();
      if (!told) port->set_value("");
    });
    authority_ = known.get();
  }
  RegistryProcess(const RegistryProcess&) = delete;
  RegistryProcess& operator=(const RegistryProcess&) = delete;
  ~RegistryProcess() {
    cancel_.cancel();
    thread_.join();
  }

  /// "127.0.0.1:PORT"; empty when it did not start.
  const std::string& authority() const { return authority_; }

 private:
  Cancel cancel_;
  std::string authority_;
  std::thread thread_;
};

/// An OCI layout with one image made of plain tools: a layer with one file for each text.
inline void make_oci_layout(const fs::path& dir, const std::vector<std::string>& texts) {
  fs::create_directories(dir / "blobs/sha256");
  const auto keep = [&](const std::string& bytes, const std::string& type) {
    const Digest digest = sha256(bytes);
    if (!write_file_quick(dir / "blobs/sha256" / digest.hex(), bytes)) std::abort();
    return fmt::format(R"({{"mediaType":"application/vnd.oci.image.{}","digest":"{}","size":{}}})", type, digest.text(),
                       bytes.size());
  };
  std::vector<std::string> layers, diff_ids, history;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const fs::path tree = dir / "tree";
    fs::create_directories(tree);
    if (!write_file_quick(tree / fmt::format("file{}", i), texts[i])) std::abort();
    (void)run_tool({"tar", "--mtime=@0", "--owner=0", "--group=0", "-C", tree, "-cf", dir / "l.tar", "."});
    diff_ids.push_back(fmt::format("\"{}\"", sha256_file(dir / "l.tar")->text()));
    (void)run_tool({"gzip", "-nf", dir / "l.tar"});
    layers.push_back(keep(*read_file(dir / "l.tar.gz"), "layer.v1.tar+gzip"));
    history.push_back(fmt::format(R"({{"created_by":"step {}"}})", i));
    fs::remove_all(tree);
  }
  const std::string config =
      keep(fmt::format(R"({{"architecture":"amd64","os":"linux","config":{{"Env":["A=b"],"Cmd":["/bin/sh"]}},)"
                       R"("rootfs":{{"type":"layers","diff_ids":[{}]}},"history":[{}]}})",
                       join(diff_ids, ","), join(history, ",")),
           "config.v1+json");
  const std::string manifest =
      keep(fmt::format(R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},)"
                       R"("layers":[{}]}})",
                       config, join(layers, ",")),
           "manifest.v1+json");
  const std::string named =
      manifest.substr(0, manifest.size() - 1) + R"(,"annotations":{"org.opencontainers.image.ref.name":"test"}})";
  if (!write_file_quick(dir / "index.json", fmt::format(R"({{"schemaVersion":2,"manifests":[{}]}})", named)) ||
      !write_file_quick(dir / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})")) {
    std::abort();
  }
}

}  // namespace kiln::testing_support
