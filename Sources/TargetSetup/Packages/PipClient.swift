import Host
import SystemPackage

/// pip, made to use the bundle's index of Python packages and no other.
struct PipClient: Sendable {
  /// The web server of the bundle: `http://HOST[:PORT]` or `https://HOST[:PORT]`, without a slash at the end.
  let server: String
  /// The path below which it serves the release, such as `/releases/2.30.0`; see ``ReleaseAddress``.
  var release = ""
  /// How it is believed, and with which login it is asked.
  var access = ServerAccess.plain

  /// The configuration of pip for all users.
  static let settingsFile: FilePath = "/etc/pip.conf"

  /// The address of the index.
  var index: String { "\(server)\(release)/pypi/" }

  /// The text of ``settingsFile``.
  var settings: String {
    TextTemplate(PackageResources.pip_conf).filled([
      "index": index, "authority": access.isTLS ? nil : authority,
      "cert": access.isTLS ? ServerAccess.authorityPlace.string : nil,
    ])
  }

  private var authority: String { RepositoryFiles(server: server).authority }

  /// Options that make one call of pip use the index and no other.
  var options: [String] {
    guard let authority = access.authorityFile else {
      return ["--index-url", index, "--trusted-host", authority]
    }
    return ["--index-url", index, "--cert", authority.string]
  }

  /// ``environment`` with the login, which pip takes from a file of logins alone where no option can show it.
  var environment: [String: String?] {
    Self.environment.merging(access.login == nil ? [:] : ["NETRC": access.loginFile?.string]) { $1 }
  }

  /// What of the environment and of users' settings could lead pip elsewhere is taken away.
  static let environment: [String: String?] = [
    "PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": nil, "PIP_EXTRA_INDEX_URL": nil, "PIP_FIND_LINKS": nil,
    "PIP_NO_INDEX": nil, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": nil, "PIP_PROXY": nil,
    "PYTHONHOME": nil, "PYTHONPATH": nil, "http_proxy": nil, "HTTP_PROXY": nil, "all_proxy": nil,
    "ALL_PROXY": nil,
  ]
}
