// Amazon's services as a client: credentials from where Amazon's own tools look, requests signed with Signature Version
// 4, and the one question that templates ask, which images there are. References: docs.aws.amazon.com, "Create a signed
// AWS API request", "Settings reference for AWS SDKs", EC2's DescribeImages.
#pragma once

#include <map>

#include "cloud/http.h"

namespace kiln::cloud {

struct AwsCredentials {
  std::string access_key, secret_key, token;  // token: of temporary ones, else empty
};

/// What a caller says about credentials; everything may be empty.
struct AwsWishes {
  AwsCredentials credentials;
  std::string region, profile;
  fs::path shared_credentials_file;
};

struct AwsAccess {
  AwsCredentials credentials;
  std::string region;
};

/// What is given, then AWS_* of the environment, then the shared credentials and configuration files. Errc::denied when
/// there are no credentials, Errc::usage when there is no region; neither names a secret.
Result<AwsAccess> find_aws_access(const AwsWishes& wishes, const std::map<std::string, std::string>& environment);

/// The headers that make a request one of these credentials' owner. host, path and query are those of the URL; seconds:
/// since 1970.
std::vector<Header> aws_signature(const HttpRequest& request, std::string_view body, const AwsAccess& access,
                                  std::string_view service, std::int64_t seconds);

struct Ec2Image {
  std::string id, name, creation_date, owner, owner_alias;
  std::map<std::string, std::string> tags;
};
struct Ec2ImageQuery {
  std::map<std::string, std::string> filters;
  std::vector<std::string> owners;
  bool include_deprecated = false;
};

/// The images of an answer to DescribeImages, the newest first. Errc::corrupt for anything else.
Result<std::vector<Ec2Image>> read_images(std::string_view answer);

/// Every image that fits, newest first. endpoint: a URL, or empty for the region's own.
Result<std::vector<Ec2Image>> describe_images(HttpClient& client, const AwsAccess& access, const std::string& endpoint,
                                              const Ec2ImageQuery& query, const Cancel& cancel);

}  // namespace kiln::cloud
