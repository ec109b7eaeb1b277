namespace MiniCnn.Tests;

/// <summary>Replaces the network: records the requested addresses and answers with <paramref name="bytes"/>, or with 404 if there are none.</summary>
sealed class Asked(byte[]? bytes = null) : HttpMessageHandler
{
    public List<string> Requests { get; } = [];

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Add(request.RequestUri!.AbsoluteUri);
        return Task.FromResult(bytes is null
            ? new HttpResponseMessage(System.Net.HttpStatusCode.NotFound) : new HttpResponseMessage { Content = new ByteArrayContent(bytes) });
    }
}
