import Host
import Settings
import SystemPackage
import TestSupport
import Testing
import YAML

@testable import TargetSetup

@Suite("TLS and login for clients")
struct ServerAccessTests {
  private static let offline = """
    # The bundle's registry speaks plain HTTP.
    http_server: "http://YOUR_HOST"
    registry_host: "YOUR_HOST:35000"
    containerd_registries_mirrors:
      - prefix: "{{ registry_host }}"
        server: "http://{{ registry_host }}"
        mirrors:
          - host: "http://{{ registry_host }}"
            capabilities: ["pull", "resolve"]
            override_path: false
            skip_verify: true
    crio_registries:
      - prefix: "{{ registry_host }}"
        location: "{{ registry_host }}"
        insecure: true
    crio_insecure_registries: ["{{ registry_host }}"]
    docker_insecure_registries: ["{{ registry_host }}"]
    docker_registry_mirrors: ["http://{{ registry_host }}"]
    files_repo: "{{ http_server }}/files"

    # Helm charts: the bundle's own chart repositories.
    cilium_install_extra_flags: "--repository {{ files_repo }}/helm.cilium.io"

    """

  private static func access(login: Bool) -> ServerAccess {
    var access = ServerAccess(isTLS: true)
    access.authority = Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
    access.authorityFile = "/store/ca.crt"
    if login {
      access.login = ServerLogin(user: "kubespray", password: "secret")
      access.loginFile = "/store/login"
    }
    return access
  }

  private static func filled(login: Bool) throws -> (
    settings: OfflineSettings, text: String, values: YAMLMapping
  ) {
    var configuration = Configuration()
    configuration.target.address = "10.0.0.5"
    configuration.access.tls = true
    configuration.access.login = login
    let addresses = HostAddresses(NetworkInterfaces(routed: nil, addresses: []), configuration)
    let settings = OfflineSettings(configuration, addresses, access(login: login))
    let text = settings.fill(offline)
    let node = try YAML.parse(text, source: "offline.yml")
    return (settings, text, try #require(node?.mapping))
  }

  @Test("offline.yml names the authority to every engine, and nothing is insecure any more")
  func overTLS() throws {
    let (settings, text, values) = try Self.filled(login: false)
    #expect(values["http_server"]?.string == "https://10.0.0.5")
    #expect(text.hasPrefix("# The bundle's registry speaks TLS.\n"))
    let mirror = values["containerd_registries_mirrors"]?.sequence?.first?["mirrors"]?.sequence?.first?
      .mapping
    #expect(mirror?["host"]?.string == "https://{{ registry_host }}")
    #expect(
      values["containerd_registries_mirrors"]?.sequence?.first?["server"]?.string
        == "https://{{ registry_host }}")
    #expect(mirror?["skip_verify"]?.bool == false)
    #expect(mirror?["ca"]?.string == "/etc/kubespray-offline/ca.crt")
    #expect(mirror?["header"]?.mapping == nil)
    #expect(values["crio_registries"]?.sequence?.first?.mapping?["insecure"]?.bool == false)
    #expect(values["crio_insecure_registries"]?.sequence?.isEmpty == true)
    #expect(values["docker_insecure_registries"]?.sequence?.isEmpty == true)
    #expect(text.contains("docker_registry_mirrors: [\"https://{{ registry_host }}\"]"))
    #expect(values["offline_ca"]?.string?.hasPrefix("-----BEGIN CERTIFICATE-----\nAAAA\n") == true)
    #expect(values["offline_login"]?.bool == nil)
    #expect(settings.loginText == nil)
    #expect(text.contains("--repository {{ files_repo }}/helm.cilium.io"))
  }

  @Test("the login stands in a file of its own, and offline.yml only names its variables")
  func withLogin() throws {
    let (settings, text, values) = try Self.filled(login: true)
    #expect(!text.contains("secret"))
    #expect(settings.loginText?.contains("offline_password: \"secret\"") == true)
    #expect(TreeSource.mode("inventory/offline/group_vars/all/offline-login.yml") == 0o600)
    let mirror = values["containerd_registries_mirrors"]?.sequence?.first?["mirrors"]?.sequence?.first?
      .mapping
    #expect(mirror?["header"]?.mapping?["Authorization"]?.string?.hasPrefix("Basic {{ (offline_user") == true)
    #expect(values["offline_login"]?.bool == true)
    #expect(
      values["crio_registry_auth"]?.sequence?.first?.mapping?["password"]?.string == "{{ offline_password }}")
    #expect(text.contains("'://' ~ offline_user ~ ':' ~ offline_password ~ '@', 1) }}/helm.cilium.io"))
    #expect(values["files_repo"]?.string == "{{ http_server }}/files")
  }

  @Test("the files of package managers name the authority, and the login only where nobody else reads it")
  func packageManagers() throws {
    let repository = BundleRepositories.Repository(kind: .debs, folder: "local")
    let files = RepositoryFiles(server: "https://10.0.0.5:8443", access: Self.access(login: true))
    #expect(
      files.aptSettings.contains("\nAcquire::https::10.0.0.5::CAInfo \"/etc/kubespray-offline/ca.crt\";\n"))
    #expect(files.aptSettings.contains("\nAcquire::https::Proxy::10.0.0.5 \"DIRECT\";\n"))
    #expect(
      files.aptLogin
        == "# kubespray-offline: the bundle's web server.\nmachine https://10.0.0.5:8443 login kubespray password secret\n"
    )
    for client in [AptClient(), DnfClient(), ZypperClient()] as [any PackageClient] {
      for file in client.files(repository, files) {
        guard case .text(let text) = file.content, text.contains("secret") else { continue }
        #expect(file.mode == 0o600, "\(file.path)")
      }
    }
    let dnf = files.dnfSource(repository)
    #expect(dnf.contains("\nsslcacert=/etc/kubespray-offline/ca.crt\nusername=kubespray\npassword=secret\n"))
    #expect(
      files.zypperSource(repository).contains(
        "\nbaseurl=https://10.0.0.5:8443/debs/local/?credentials=kubespray-offline\n"))
    #expect(
      files.zypperLogin
        == "# kubespray-offline: the bundle's web server.\nusername = kubespray\npassword = secret\n")
    let pip = PipClient(server: "https://10.0.0.5:8443", access: Self.access(login: true))
    #expect(
      pip.settings.contains("\ncert = /etc/kubespray-offline/ca.crt\n")
        && !pip.settings.contains("trusted-host"))
    #expect(pip.options == ["--index-url", "https://10.0.0.5:8443/pypi/", "--cert", "/store/ca.crt"])
    #expect(pip.environment["NETRC"] == "/store/login")
    let plain = RepositoryFiles(server: "http://10.0.0.5")
    #expect(!plain.dnfSource(repository).contains("sslcacert") && plain.aptLogin == nil)
  }

  @Test("root's logins keep what they have, and ours is replaced and not repeated")
  func netrc() {
    let client = ClientAccess(server: "https://10.0.0.5:8443", access: Self.access(login: true))
    let login = ServerLogin(user: "kubespray", password: "one")
    let ours =
      "# kubespray-offline: begin\nmachine 10.0.0.5 login kubespray password one\n# kubespray-offline: end\n"
    #expect(client.netrc(with: login, in: "") == ours)
    #expect(client.netrc(with: login, in: ours) == ours)
    #expect(
      client.netrc(with: login, in: "machine a login b password c") == "machine a login b password c\n" + ours
    )
    let newer = client.netrc(with: ServerLogin(user: "kubespray", password: "two"), in: "x\n" + ours + "y\n")
    #expect(newer == "x\n" + ours.replacing("one", with: "two") + "y\n")
    let far = ClientAccess(server: "https://[fd00::5]", access: Self.access(login: true))
    #expect(far.netrc(with: login, in: "").contains("machine fd00::5 login"))
  }

  @Test("a login is written so that curl, pip and this program read it")
  func loginFile() throws {
    let login = ServerLogin.make()
    #expect(login.password.count == 32 && login.password != ServerLogin.make().password)
    #expect(ServerLogin(login.text) == login)
    #expect(ServerLogin("default login x") == nil)
    #expect(ServerLogin(user: "a", password: "b").authorization == "Basic YTpi")
  }

  @Test("the web server's own part says how TLS and the login work, and where it listens")
  func webServer() throws {
    let text = "server {\n    listen 80 default_server;\n    root /x;\n}"
    let part = try NginxStep.serverPart(
      text, port: 443, bind: nil, hasIPv6: false, isTLS: true, wantsLogin: true)
    #expect(
      part.contains(
        "    listen 443 ssl default_server;\n    ssl_certificate /etc/kubespray-offline/server.crt;"))
    #expect(part.contains("auth_basic_user_file /etc/kubespray-offline/htpasswd;"))
    var configuration = Configuration()
    configuration.access.tls = true
    #expect(configuration.webServerPort == 443)
    configuration.nginx.port = 8443
    configuration.target.address = "fd00::5"
    let addresses = HostAddresses(NetworkInterfaces(routed: nil, addresses: []), configuration)
    #expect(addresses.webServer == "https://[fd00::5]:8443")
    #expect(addresses.localRegistry == "https://127.0.0.1:35000")
  }
}
