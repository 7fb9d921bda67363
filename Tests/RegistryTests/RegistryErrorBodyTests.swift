import Testing

@testable import Registry

@Suite struct RegistryErrorBodyTests {
  @Test(
    "What registries and those before them say in words",
    arguments: [
      (#"{"errors":[{"code":"DENIED","message":"no"}]}"#, "(500 DENIED): no"),
      (#"{"errors":[{"code":"DENIED","detail":{}}]}"#, "(500 DENIED)"),
      // Artifactory.
      (#"{"errors":[{"status":404,"message":"not here"}]}"#, "(500): not here"),
      (#"{"errors":[{"code":404,"message":"no project"}]}"#, "(500 404): no project"),
      // Nexus, gateways and token services.
      (#"{"message":"upstream: x509: unknown authority"}"#, "(500): upstream: x509: unknown authority"),
      (#"{"details":"incorrect username or password"}"#, "(500): incorrect username or password"),
      (#"{"error":"invalid_grant"}"#, "(500): invalid_grant"),
      (#"{"error":{"message":"slow\u001b[31m down"}}"#, "(500): slow[31m down"),
      ("<html><head><title>\n502 Bad Gateway</title>", "(500): a web page, \"502 Bad Gateway\""),
      ("\u{feff} <!DOCTYPE html><TITLE lang='en'>Sign in</TITLE>", "(500): a web page, \"Sign in\""),
      ("<html><title></title>", "(500): a web page"), ("", "(500)"), ("oops", "(500)"), ("[]", "(500)"),
      (#"{"errors":[]}"#, "(500)"), (#"{"errors":null,"message":["a"]}"#, "(500)"),
    ])
  func words(_ body: String, _ said: String) {
    let explanation = RegistryErrorBody(Array(body.utf8))
    #expect(explanation.reason(500) + explanation.words == said)
  }
}
