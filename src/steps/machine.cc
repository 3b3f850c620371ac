#include "base/file.h"
#include "steps/steps.h"

namespace kiln::steps {

namespace {

/// Variables by which package clients find proxies and indexes.
constexpr const char* kBorrowed[] = {"http_proxy",
                                     "https_proxy",
                                     "no_proxy",
                                     "ftp_proxy",
                                     "HTTP_PROXY",
                                     "HTTPS_PROXY",
                                     "NO_PROXY",
                                     "PIP_INDEX_URL",
                                     "PIP_EXTRA_INDEX_URL",
                                     "PIP_TRUSTED_HOST",
                                     "npm_config_registry",
                                     "GOPROXY",
                                     "GOSUMDB",
                                     "CARGO_REGISTRIES_CRATES_IO_INDEX",
                                     "MAVEN_ARGS"};

/// Where Linux distributions keep the bundle of trusted certificates.
constexpr const char* kBundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"};

constexpr std::uint64_t kMaxBundle = std::uint64_t{8} << 20;

}  // namespace

Machine borrow_machine(const std::map<std::string, std::string>& environment) {
  Machine machine;
  for (const char* name : kBorrowed) {
    if (const auto it = environment.find(name); it != environment.end()) machine.env[name] = it->second;
  }
  std::vector<fs::path> bundles;
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_CERT"}) {
    if (const auto it = environment.find(name); it != environment.end()) bundles.emplace_back(it->second);
  }
  bundles.insert(bundles.end(), std::begin(kBundles), std::end(kBundles));
  for (const fs::path& path : bundles) {
    if (auto text = read_file(path, kMaxBundle); text && !text->empty()) {
      machine.ca_bundle = std::move(*text);
      break;
    }
  }
  if (auto text = read_file("/etc/resolv.conf", 64 << 10)) machine.resolv_conf = std::move(*text);
  return machine;
}

}  // namespace kiln::steps
