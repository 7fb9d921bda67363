import Kubespray
import Testing

@Suite struct CatalogPackageTests {
  private func package(_ name: String) -> CatalogPackage {
    CatalogPackage(name: name, release: "debian-12", state: .needed, origin: "roles/x")
  }

  @Test(arguments: [
    ("socat", "socat"), ("docker-ce=5:28.3*", "docker-ce"), ("python3:any", "python3"),
    ("docker-ce-3:28.3.3-1.el9", "docker-ce"), ("docker-ce-28.3", "docker-ce-28.3"), ("libc++1", "libc++1"),
  ])
  func aVersionBehindTheNameIsNotPartOfIt(name: String, bare: String) {
    #expect(package(name).bareName == bare)
    #expect(package(name).isName)
  }

  @Test(arguments: ["https://example.com/epel.rpm", "/tmp/x.deb", "@development", ""])
  func filesAndGroupsAreNoNames(name: String) {
    #expect(!package(name).isName)
  }
}
