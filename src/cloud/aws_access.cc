// Credentials and region: from the caller, the environment, the shared files.
#include "base/file.h"
#include "base/text.h"
#include "cloud/aws.h"

namespace kiln::cloud {

namespace {

using Environment = std::map<std::string, std::string>;
using Section = std::map<std::string, std::string>;

std::string first(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) return value;
  }
  return {};
}

std::string named(const Environment& environment, const char* name) {
  const auto it = environment.find(name);
  return it == environment.end() ? std::string() : it->second;
}

/// One section of an INI file; a file that cannot be read has none.
Section section_of(const fs::path& file, const std::string& wanted) {
  Section out;
  const auto text = read_file(file);
  if (!text) return out;
  bool inside = false;
  for (const std::string& line : split(*text, '\n')) {
    const std::string_view l = trim(line);
    if (l.empty() || l[0] == '#' || l[0] == ';') continue;
    if (l[0] == '[') {
      inside = trim(l.substr(1, l.find(']') - 1)) == wanted;
      continue;
    }
    const std::size_t equals = l.find('=');
    if (inside && equals != std::string_view::npos)
      out[std::string(trim(l.substr(0, equals)))] = trim(l.substr(equals + 1));
  }
  return out;
}

AwsCredentials credentials_in(Section section) {
  return {section["aws_access_key_id"], section["aws_secret_access_key"], section["aws_session_token"]};
}

bool are_whole(const AwsCredentials& c) {
  return !c.access_key.empty() && !c.secret_key.empty();
}

}  // namespace

Result<AwsAccess> find_aws_access(const AwsWishes& wishes, const Environment& environment) {
  const auto env = [&](const char* name) { return named(environment, name); };
  const fs::path home = fs::path(env("HOME")) / ".aws";
  const std::string profile = first({wishes.profile, env("AWS_PROFILE"), "default"});
  const fs::path shared =
      first({wishes.shared_credentials_file.native(), env("AWS_SHARED_CREDENTIALS_FILE"), home / "credentials"});
  const fs::path config = first({env("AWS_CONFIG_FILE"), home / "config"});
  Section settings = section_of(config, profile == "default" ? profile : "profile " + profile);
  AwsAccess access;
  access.credentials = wishes.credentials;
  if (!are_whole(access.credentials) && wishes.profile.empty())
    access.credentials = {env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), env("AWS_SESSION_TOKEN")};
  if (!are_whole(access.credentials)) access.credentials = credentials_in(section_of(shared, profile));
  if (!are_whole(access.credentials)) access.credentials = credentials_in(settings);
  if (!are_whole(access.credentials))
    return error(Errc::denied,
                 "no credentials for Amazon: none given, none in AWS_ACCESS_KEY_ID, none in {} for the "
                 "profile \"{}\"",
                 shared, profile);
  access.region = first({wishes.region, env("AWS_REGION"), env("AWS_DEFAULT_REGION"), settings["region"]});
  if (access.region.empty()) return error(Errc::usage, "no region is given, and none is in AWS_REGION or {}", config);
  return access;
}

}  // namespace kiln::cloud
