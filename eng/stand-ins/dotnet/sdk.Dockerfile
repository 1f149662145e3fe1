# Stand-in for the official sdk:10.0; its context is the folder of this machine's .NET.
FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY sdk /usr/share/dotnet/sdk
COPY sdk-manifests /usr/share/dotnet/sdk-manifests
COPY packs /usr/share/dotnet/packs
# It has no ICU, unlike the official one. Packages may come through a gate of this machine, behind which no list of revoked
# certificates is in reach.
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    DOTNET_SYSTEM_GLOBALIZATION_PREDEFINED_CULTURES_ONLY=false NUGET_CERT_REVOCATION_MODE=offline NUGET_XMLDOC_MODE=skip
