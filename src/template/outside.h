// What data sources ask of servers. The template room does no networking: a caller that wants the values gives the
// functions (World::outside), one that only checks gives none and the values stay unknown.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace kiln::tmpl {

/// data "http"
struct HttpQuestion {
  std::string method, url, body;
  std::map<std::string, std::string> headers;
  bool secret_headers = false;  // they may hold what is sensitive
};
struct HttpReply {
  std::string url, body;
  std::map<std::string, std::string> headers;  // several of one name joined with ", "
};

/// data "amazon-ami"; what is empty is taken from where Amazon's own tools look.
struct ImageQuestion {
  std::map<std::string, std::string> filters;
  std::vector<std::string> owners;
  bool most_recent = false, include_deprecated = false;
  std::string region, access_key, secret_key, token, profile, shared_credentials_file;
  std::string endpoint;  // custom_endpoint_ec2
};
struct ImageReply {
  std::string id, name, creation_date, owner, owner_name;
  std::map<std::string, std::string> tags;
};

/// An error tells what went wrong, for people; it never holds a secret.
struct Outside {
  std::function<Result<HttpReply>(const HttpQuestion&)> http;
  std::function<Result<ImageReply>(const ImageQuestion&)> amazon_ami;
};

}  // namespace kiln::tmpl
